import { readdirSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import type { RequestHandler, Response } from 'express';

/** The names of these files contain a hash of their content, so they never change. */
const HASHED = '/assets/';
const IMMUTABLE = { maxAge: '1y', immutable: true };
const ONE_HOUR = { maxAge: '1h' };

/** The content codings of the build's compressed files, with the endings of their names; best first. */
const CODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const;

type Coding = (typeof CODINGS)[number];

/**
 * Serves the files of a build. The build has compressed them already, so no request waits for that. Only
 * files that exist when this is called are served; every other path goes to the next handler, so no path
 * can lead out of the folder. The compressed files have no URLs of their own.
 *
 * Instead of `express-static-gzip`: only the choice between three names is ours. HEAD, conditional
 * requests and ranges are done by Express's `sendFile`.
 */
export function builtFiles(folder: string): RequestHandler {
  const files = filesOf(folder);
  return (request, response, next) => {
    const name = decodePath(request.path);
    const codings = name === null ? undefined : files.get(name);
    if (name === null || !codings || !['GET', 'HEAD'].includes(request.method)) return next();
    response.type(extname(name));
    let ending = '';
    if (codings.length > 0) {
      response.vary('Accept-Encoding');
      // Without `Accept-Encoding` the file is not compressed. Of the weights, only `q=0` has an effect.
      const accepted = codings.find(([coding]) => request.acceptsEncodings(coding));
      if (accepted) {
        response.set('Content-Encoding', accepted[0]);
        ending = accepted[1];
      }
    }
    const lifetime = name.startsWith(HASHED) ? IMMUTABLE : ONE_HOUR;
    response.sendFile(`${name}${ending}`, { root: folder, ...lifetime }, (error?: Failure) => {
      if (error) answerFailure(response, error, next);
    });
  };
}

/** Returns the files of a folder by their URL path, each with the codings that exist for it. */
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

/** Returns the path, decoded; `null` if it is not valid. */
function decodePath(path: string): string | null {
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}

/** Answers when `sendFile` did not send: a failed condition, an invalid range, or a real error. */
function answerFailure(response: Response, error: Failure, next: (error?: unknown) => void) {
  // It failed in the middle, or the client has disconnected.
  if (response.headersSent || error.code === 'ECONNABORTED') return response.destroy();
  for (const name of ['Content-Encoding', 'Content-Type', 'Cache-Control']) {
    response.removeHeader(name);
  }
  if (error.statusCode === 404) {
    // A newer build has deleted it since the start: the next handler shows the 404 page.
    return next();
  }
  const isClientError = error.statusCode === 412 || error.statusCode === 416;
  return isClientError ? response.status(error.statusCode!).end() : next(error);
}

/** An error of `sendFile`, as far as it matters here. */
interface Failure extends Error {
  code?: string;
  statusCode?: number;
}
