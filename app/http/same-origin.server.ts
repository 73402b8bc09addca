import type { RequestHandler } from 'express';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** What a request says about the page that sent it. */
interface RequestSource {
  method: string;
  origin: string | undefined;
  fetchSite: string | undefined;
}

/**
 * True if a request came from a page of this application, or uses a safe method (W3C Fetch Metadata;
 * OWASP CSRF: verifying origin with standard headers). False for an unsafe request with neither header:
 * every browser sends at least one of them.
 */
export function isSameOrigin({ method, origin, fetchSite }: RequestSource, own: string): boolean {
  if (SAFE_METHODS.has(method)) return true;
  if (origin === undefined && fetchSite === undefined) return false;
  if (origin !== undefined && origin !== own) return false;
  return fetchSite === undefined || fetchSite === 'same-origin';
}

/** Refuses every unsafe request from another site, including sign-in and sign-out. */
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
