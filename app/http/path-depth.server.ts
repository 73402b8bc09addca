import type { RequestHandler } from 'express';

/** No page or operation has more than five segments. */
const MAX_SEGMENTS = 64;
/** The parameter with the paths whose routes a browser asks for. */
const MANIFEST_PATH_PARAMETER = 'p';

/**
 * Answers 404 to more than 64 path segments, before the framework matches routes. Its matching takes
 * time that grows with the square of the depth (CVE-2026-55685): a path of a few kilobytes would block
 * the event loop for seconds. The paths that `/__manifest?p=…&p=…` asks about count as one.
 *
 * @param origin scheme, host and port of the application
 */
export function limitPathDepth(origin: string): RequestHandler {
  return (request, response, next) => {
    if (countSegments(request.originalUrl, origin) <= MAX_SEGMENTS) {
      next();
      return;
    }
    response.status(404).type('text/plain').send('There is nothing at this address.\n');
  };
}

// Counts like the framework: it parses the URL first, which turns `\` into `/`, and matches `p=a` as `/a`.
function countSegments(path: string, origin: string): number {
  // A URL that cannot be parsed is refused later, and never matched.
  if (!URL.canParse(origin + path)) return 0;
  const { pathname, searchParams } = new URL(origin + path);
  const paths = [pathname, ...searchParams.getAll(MANIFEST_PATH_PARAMETER)];
  return paths.reduce((sum, one) => sum + segmentsOf(one), 0);
}

const segmentsOf = (path: string) => path.split('/').length - (path.startsWith('/') ? 1 : 0);
