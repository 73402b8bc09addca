import type { RequestHandler } from 'express';

/** All that a page of ours sends. */
const METHODS = ['GET', 'HEAD', 'POST'];

/**
 * Refuses what no page of ours sends, and what a route would stumble over: it is no failure of the
 * server, and none is logged. Whatever host the rest claims to have asked, it has asked this one: an
 * address that is built from the request cannot lead elsewhere.
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
  // Remix's older way to ask for data, which it still answers and calls an error.
  if (searchParams.has('_data')) return false;
  try {
    decodeURIComponent(pathname);
    return true;
  } catch {
    return false;
  }
}
