import type { RequestHandler } from 'express';
import { MAX_PICTURE_FORM_BYTES, PICTURE_PATHS } from '#app/account/picture-upload.server.ts';

/** Far more than any form here sends, but for the one that sends a picture. */
const MAX_BODY_BYTES = 64 * 1024;

/**
 * Refuses bodies that are too large before they are read. A body of unannounced length is refused
 * too (RFC 9110 §15.5.12): browsers always announce that of a form.
 */
export function limitBody(): RequestHandler {
  return (request, response, next) => {
    if (request.get('transfer-encoding') !== undefined) {
      response.status(411).set('Connection', 'close').type('text/plain');
      response.send('The length of what was sent was not announced.\n');
      return;
    }
    const takesPicture = request.method === 'POST' && PICTURE_PATHS.includes(request.path);
    const maxBytes = takesPicture ? MAX_PICTURE_FORM_BYTES : MAX_BODY_BYTES;
    if (Number(request.get('content-length') ?? 0) > maxBytes) {
      response.status(413).set('Connection', 'close').type('text/plain');
      response.send('That is more than this form takes.\n');
      return;
    }
    // A browser that still sends shows no answer: what nobody read is taken in and dropped.
    if (takesPicture) {
      response.once('finish', () => {
        request.removeAllListeners('data');
        request.resume();
      });
    }
    next();
  };
}
