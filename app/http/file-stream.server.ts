import type { Readable } from 'node:stream';
import type { PageContext } from '#app/context.server.ts';

/** A file that is made while it is sent. */
export interface StreamedFile {
  name: string;
  contentType: string;
  /** Of bytes, as any stream that is not in object mode. */
  content: Readable;
  /** Called once nothing more is read from it, whatever the reason. */
  end(): Promise<void>;
}

/**
 * An attachment that is made while it is sent, at the pace of whoever takes it. When it cannot be
 * finished, the connection is cut: what has arrived must not pass for the whole.
 *
 * `no-transform`, or it would be compressed on the way, into memory and at another pace.
 */
export function sendFile(
  { outgoing, log }: Pick<PageContext, 'outgoing' | 'log'>,
  file: StreamedFile,
): Response {
  const { content } = file;
  const pieces = content[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const end = () =>
    file.end().catch((error: unknown) => {
      log.error({ err: error }, 'a download could not be tidied up after');
    });
  const stop = () => content.destroy();
  outgoing.gone.addEventListener('abort', stop);

  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        await outgoing.isReady();
        try {
          const piece = await pieces.next();
          if (!piece.done) return controller.enqueue(piece.value);
        } catch (error) {
          await end();
          // Nobody is there to notice.
          if (outgoing.gone.aborted) return controller.close();
          log.error({ err: error }, 'a download broke off');
          return controller.error(error);
        }
        await end();
        outgoing.gone.removeEventListener('abort', stop);
        controller.close();
      },
      async cancel() {
        stop();
        await end();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, {
    headers: {
      'Content-Type': file.contentType,
      'Content-Disposition': `attachment; filename="${file.name}"`,
      'Cache-Control': 'no-store, no-transform',
    },
  });
}
