import type { RequestHandler } from 'express';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** What a request tells of the page that it came from. */
export interface RequestSource {
  method: string;
  origin: string | undefined;
  fetchSite: string | undefined;
}

/**
 * True when a request that may change something came from a page of this application
 * (W3C Fetch Metadata; OWASP CSRF: verifying origin with standard headers). A request that says
 * nothing of where it came from is refused: every browser says one or the other.
 */
export function isSameOrigin({ method, origin, fetchSite }: RequestSource, own: string): boolean {
  if (SAFE_METHODS.has(method)) return true;
  if (origin === undefined && fetchSite === undefined) return false;
  if (origin !== undefined && origin !== own) return false;
  return fetchSite === undefined || fetchSite === 'same-origin';
}

/** Refuses every request that may change something and comes from another site, sign-in and sign-out included. */
export function rejectCrossOrigin(own: string): RequestHandler {
  return (request, response, next) => {
    const source: RequestSource = {
      method: request.method,
      origin: request.get('origin'),
      fetchSite: request.get('sec-fetch-site'),
    };
    if (isSameOrigin(source, own)) {
      next();
      return;
    }
    response
      .status(403)
      .type('text/plain')
      .send(
        `This form was not sent from ${own}, so nothing was done. Go to ${own} and try again there.\n`,
      );
  };
}
