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

/** After this, what has not been rendered is given up. */
export const streamTimeout = 5_000;

/** Renders a page. */
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
    // Crawlers do not wait for what streams in later.
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
          // Or it would keep all of the page for as long.
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

/** Logs what no route expected. */
export function handleError(
  error: unknown,
  { request, context }: { request: Request; context: AppLoadContext },
): void {
  if (request.signal.aborted) return;
  // A form sent to a page that takes none (405) is no failure of ours.
  if (isRouteErrorResponse(error) && error.status < 500) return;
  // The path only: a query may carry what does not belong into a log.
  const { pathname } = new URL(request.url);
  context.visit.log.error(
    { err: error, method: request.method, path: pathname },
    'a request failed',
  );
}
