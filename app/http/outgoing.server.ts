import type { ServerResponse } from 'node:http';
import type { ResponseProgress } from '#app/context.server.ts';

/** What a route may know of the answer that it gives; Remix's adapter writes without waiting. */
export function trackResponse(response: ServerResponse): ResponseProgress {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return {
    gone: gone.signal,
    isReady: () =>
      new Promise((resolve) => {
        if (!response.writableNeedDrain || response.closed) return resolve();
        const goOn = () => {
          response.off('drain', goOn).off('close', goOn);
          resolve();
        };
        response.on('drain', goOn).on('close', goOn);
      }),
  };
}
