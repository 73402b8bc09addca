import type { RequestHandler, Response } from 'express';

/** The URLs below contain a digest of their content. */
const VERSIONED_PATHS = '/picture/';

/**
 * Forbids caches to store pages, because every page depends on its user. For versioned URLs a route may
 * allow the user's own browser to store a found file (`private`), and nothing else.
 */
export const noStoreByDefault: RequestHandler = (request, response, next) => {
  if (request.path.startsWith(VERSIONED_PATHS)) decideWithHead(response);
  else response.set('Cache-Control', 'no-store');
  next();
};

// Decides when the head is written: only then are the status and the route's headers known.
function decideWithHead(response: Response): void {
  const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => Response;
  response.writeHead = (...args: unknown[]) => {
    const isOwn = /^private\b/.test(String(response.getHeader('Cache-Control') ?? ''));
    const status = typeof args[0] === 'number' ? args[0] : response.statusCode;
    if (status !== 200 || !isOwn) response.setHeader('Cache-Control', 'no-store');
    return writeHead(...args);
  };
}
