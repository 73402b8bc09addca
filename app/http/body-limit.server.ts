import type { RequestHandler } from 'express';

/** Far more than any form here sends. */
const MAX_BODY_BYTES = 64 * 1024;

/**
 * Refuses bodies that are too large before they are read. A body of unannounced length is refused
 * too (RFC 9110 §15.5.12): browsers always announce that of a form.
 */
export function limitBody(maxBytes = MAX_BODY_BYTES): RequestHandler {
  return (request, response, next) => {
    if (request.get('transfer-encoding') !== undefined) {
      response.status(411).set('Connection', 'close').type('text/plain');
      response.send('The length of what was sent was not announced.\n');
      return;
    }
    if (Number(request.get('content-length') ?? 0) > maxBytes) {
      response.status(413).set('Connection', 'close').type('text/plain');
      response.send('That is more than this form takes.\n');
      return;
    }
    next();
  };
}
