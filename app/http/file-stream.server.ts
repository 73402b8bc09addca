import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { Visit } from '#app/visit/visit.ts';

/** How far a response has been sent. */
export interface ResponseProgress {
  /** Resolves when more can be written without piling up in memory, or the client has disconnected. */
  isReady(): Promise<void>;
  /** Aborts when the client disconnects. */
  gone: AbortSignal;
}

/** Tracks a response that is streamed; Remix's adapter writes without waiting for the client. */
export function trackResponse(response: ServerResponse): ResponseProgress {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return {
    gone: gone.signal,
    isReady: () =>
      new Promise((resolve) => {
        if (!response.writableNeedDrain || response.closed) return resolve();
        const finish = () => {
          response.off('drain', finish).off('close', finish);
          resolve();
        };
        response.on('drain', finish).on('close', finish);
      }),
  };
}

/** A file that is made while it is sent. */
interface StreamedFile {
  name: string;
  contentType: string;
  /** A stream of bytes, not in object mode. */
  content: Readable;
  /** Called when nothing more will be read from it, for any reason. */
  end(): Promise<void>;
}

/**
 * Returns an attachment that is made while it is sent, at the client's pace. If it cannot be finished,
 * the connection is cut, so that a part does not pass for the whole.
 *
 * `no-transform`, because compression would buffer it in memory and change the pace.
 */
export function sendFile(
  { log }: Pick<Visit, 'log'>,
  outgoing: ResponseProgress,
  file: StreamedFile,
): Response {
  const { content } = file;
  const pieces = content[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const end = () =>
    file.end().catch((error: unknown) => {
      log.error({ err: error }, 'a download could not be cleaned up');
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
