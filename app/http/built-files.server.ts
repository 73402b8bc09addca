import { readdirSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import type { RequestHandler, Response } from 'express';

/** Contents named by their hash never change. */
const HASHED = '/assets/';
const FOREVER = { maxAge: '1y', immutable: true };
const A_WHILE = { maxAge: '1h' };

/** Codings of HTTP that the build has laid beside its files, and what their names end with; the smallest first. */
const CODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const;

type Coding = (typeof CODINGS)[number];

/**
 * Serves the files of a build, compressed as the build has left them: nothing is compressed while
 * somebody waits. What is not among them when it is made goes on to the next handler, so that no
 * address leads anywhere else; nor do the compressed files have addresses of their own.
 *
 * `express-static-gzip` would do, were it not another package for what `sendFile` does but for the
 * choice between three names. That, and HEAD, conditions and ranges, are Express's.
 */
export function builtFiles(folder: string): RequestHandler {
  const files = filesOf(folder);
  return (request, response, next) => {
    const name = decoded(request.path);
    const codings = name === null ? undefined : files.get(name);
    if (name === null || !codings || !['GET', 'HEAD'].includes(request.method)) return next();
    response.type(extname(name));
    let ending = '';
    if (codings.length > 0) {
      response.vary('Accept-Encoding');
      // A client that says nothing gets the file as it is; weights count only where they refuse.
      const accepted = codings.find(([coding]) => request.acceptsEncodings(coding));
      if (accepted) {
        response.set('Content-Encoding', accepted[0]);
        ending = accepted[1];
      }
    }
    const lifetime = name.startsWith(HASHED) ? FOREVER : A_WHILE;
    response.sendFile(`${name}${ending}`, { root: folder, ...lifetime }, (error?: Failure) => {
      if (error) answerFailure(response, error, next);
    });
  };
}

/** What there is, by its path in an address, with the codings that it is there in. */
function filesOf(folder: string): Map<string, readonly Coding[]> {
  const names = new Set(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => `/${relative(folder, join(entry.parentPath, entry.name))}`),
  );
  const isCompressed = (name: string) =>
    CODINGS.some(([, ending]) => name.endsWith(ending) && names.has(name.slice(0, -ending.length)));
  return new Map(
    [...names]
      .filter((name) => !isCompressed(name))
      .map((name) => [name, CODINGS.filter(([, ending]) => names.has(`${name}${ending}`))]),
  );
}

/** null: what was asked for cannot be the name of a file. */
function decoded(path: string): string | null {
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}

/** What `sendFile` says instead of sending: a failed condition, a range that is none, or real trouble. */
function answerFailure(response: Response, error: Failure, next: (error?: unknown) => void) {
  // Cut in the middle, or nobody is there any more.
  if (response.headersSent || error.code === 'ECONNABORTED') return response.destroy();
  for (const name of ['Content-Encoding', 'Content-Type', 'Cache-Control']) {
    response.removeHeader(name);
  }
  if (error.statusCode === 404) {
    // Taken away since the start, by the next build: the page for that knows what to say.
    return next();
  }
  const isAsked = error.statusCode === 412 || error.statusCode === 416;
  return isAsked ? response.status(error.statusCode!).end() : next(error);
}

/** What `sendFile` fails with, as far as it matters here. */
interface Failure extends Error {
  code?: string;
  statusCode?: number;
}
