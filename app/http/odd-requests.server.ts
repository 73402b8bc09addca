import type { RequestHandler } from 'express';

/** The methods that our pages send. */
const METHODS = ['GET', 'HEAD', 'POST'];

/**
 * Refuses requests that none of our pages sends and that would make a route fail. That is no failure of
 * the server, so nothing is logged. Sets `Host` to our own on all others, so that a URL that is built from
 * the request cannot lead to another site.
 */
export function rejectMalformedRequests(origin: string): RequestHandler {
  const { host } = new URL(origin);
  return (request, response, next) => {
    if (!METHODS.includes(request.method)) {
      response.status(405).set('Allow', METHODS.join(', ')).type('text/plain');
      response.send('Nothing here is done that way.\n');
      return;
    }
    if (!isReadable(request.originalUrl, origin)) {
      response.status(400).type('text/plain').send('That is no address.\n');
      return;
    }
    request.headers.host = host;
    delete request.headers['x-forwarded-host'];
    next();
  };
}

function isReadable(path: string, origin: string): boolean {
  if (!path.startsWith('/') || !URL.canParse(origin + path)) return false;
  const { pathname, searchParams } = new URL(origin + path);
  // Remix's older protocol for data; it still answers such requests, with an error.
  if (searchParams.has('_data')) return false;
  try {
    decodeURIComponent(pathname);
    return true;
  } catch {
    return false;
  }
}
