import type { RequestHandler } from 'express';

/** Far more than any form here sends, except the one that uploads a picture. */
const MAX_BODY_BYTES = 64 * 1024;

/**
 * Refuses bodies that are too large before they are read. A body without a length is refused too
 * (RFC 9110 §15.5.12): browsers always send the length of a form.
 *
 * @param large the paths that take a larger form, and its size.
 */
export function limitBody(large: { paths: readonly string[]; maxBytes: number }): RequestHandler {
  return (request, response, next) => {
    if (request.get('transfer-encoding') !== undefined) {
      response.status(411).set('Connection', 'close').type('text/plain');
      response.send('The length of what was sent was not announced.\n');
      return;
    }
    const isLarge = request.method === 'POST' && large.paths.includes(request.path);
    const maxBytes = isLarge ? large.maxBytes : MAX_BODY_BYTES;
    if (Number(request.get('content-length') ?? 0) > maxBytes) {
      response.status(413).set('Connection', 'close').type('text/plain');
      response.send('That is more than this form takes.\n');
      return;
    }
    // A browser that is still sending does not show the answer, so read the rest and drop it.
    if (isLarge) {
      response.once('finish', () => {
        request.removeAllListeners('data');
        request.resume();
      });
    }
    next();
  };
}
