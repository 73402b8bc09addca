import {
  createReadableStreamFromReadable,
  type AppLoadContext,
  type EntryContext,
} from '@remix-run/node';
import { isRouteErrorResponse, RemixServer } from '@remix-run/react';
import { isbot } from 'isbot';
import { renderToPipeableStream } from 'react-dom/server';
import { withoutNulBytes } from '#app/http/nul-bytes.server.ts';
import { NonceProvider } from '#app/ui/nonce.ts';

/** Milliseconds after which Remix rejects the data that a page still waits for. */
export const streamTimeout = 5_000;

/** Renders a page as a stream of HTML. */
export default function handleRequest(
  request: Request,
  status: number,
  headers: Headers,
  remixContext: EntryContext,
  { nonce, visit }: AppLoadContext,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    let responseStatus = status;
    let shellRendered = false;
    // Crawlers get the complete page, because they do not wait for streamed parts.
    const whole = isbot(request.headers.get('user-agent')) || remixContext.isSpaMode;
    const { pipe, abort } = renderToPipeableStream(
      <NonceProvider value={nonce}>
        <RemixServer context={remixContext} url={request.url} nonce={nonce} />
      </NonceProvider>,
      {
        nonce,
        [whole ? 'onAllReady' : 'onShellReady']() {
          shellRendered = true;
          const body = withoutNulBytes();
          // Otherwise the timer would keep the whole page in memory until it fires.
          body.once('close', () => clearTimeout(givingUp));
          headers.set('Content-Type', 'text/html; charset=utf-8');
          resolve(
            new Response(createReadableStreamFromReadable(body), {
              headers,
              status: responseStatus,
            }),
          );
          pipe(body);
        },
        onShellError: reject,
        onError(error: unknown) {
          responseStatus = 500;
          if (shellRendered) visit.log.error({ err: error }, 'a page broke while it was rendered');
        },
      },
    );
    const givingUp = setTimeout(abort, streamTimeout + 1_000).unref();
  });
}

/** Logs errors that no route handled. */
export function handleError(
  error: unknown,
  { request, context }: { request: Request; context: AppLoadContext },
): void {
  if (request.signal.aborted) return;
  // A client error, such as a form sent to a page without an action (405), is not a server failure.
  if (isRouteErrorResponse(error) && error.status < 500) return;
  // Only the path: a query may contain secrets.
  const { pathname } = new URL(request.url);
  context.visit.log.error(
    { err: error, method: request.method, path: pathname },
    'a request failed',
  );
}
