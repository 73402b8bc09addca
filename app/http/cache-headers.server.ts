import type { RequestHandler, Response } from 'express';

/** Addresses that name a version of what stands there: its digest. */
const VERSIONS = '/picture/';

/**
 * Every page depends on who asks: no copy of one is kept anywhere. Where an address names a version
 * a route may let the person's own browser keep what it has found, and nothing but that.
 */
export const noStoreByDefault: RequestHandler = (request, response, next) => {
  if (request.path.startsWith(VERSIONS)) decideLast(response);
  else response.set('Cache-Control', 'no-store');
  next();
};

// When the head is written: before that nobody knows what the answer is.
function decideLast(response: Response): void {
  const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => Response;
  response.writeHead = (...args: unknown[]) => {
    const isOwn = /^private\b/.test(String(response.getHeader('Cache-Control') ?? ''));
    const status = typeof args[0] === 'number' ? args[0] : response.statusCode;
    if (status !== 200 || !isOwn) response.setHeader('Cache-Control', 'no-store');
    return writeHead(...args);
  };
}
