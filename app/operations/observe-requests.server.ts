import { randomBytes } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import type { Log } from './log.server.ts';
import type { Metrics } from './metrics.server.ts';
import type { RequestTrace, Tracing } from './tracing.server.ts';

/** What is known of a request while it is under way; kept in `response.locals`. */
export interface ObservedLocals {
  /** Writes the request's id into every line. */
  log: Log;
  trace: RequestTrace;
  /** True once it has come to the pages: it is neither a file nor a question after our health. */
  isForPages?: boolean;
}

export interface ObserveOptions {
  log: Log;
  metrics: Pick<Metrics, 'requests'>;
  tracing: Tracing;
  /** The pattern of the route that answers a path; one of a bounded number. */
  routeOf: (path: string) => string;
}

/** 96 bits in characters of which few are digits: nothing in a log should look like a code. */
const ID_BYTES = 12;
const WELL_FORMED_ID = /^[A-Za-z0-9._-]{8,64}$/;
const MAX_CHARACTERS = 512;
/** Also those that JSON lets through, and that a terminal may obey. */
const CONTROL_CHARACTERS = /[\p{Cc}\u2028\u2029]/gu;

/**
 * Gives every request an id, and says what became of it: a line in the log, a count, a span. Stands
 * before everything else, so that what is refused is seen too.
 *
 * The id is that of a proxy of ours, when it sent one; the answer carries it as `X-Request-Id`. A line
 * holds the path without the query, which may carry what does not belong into a log. Files and health
 * checks are logged at `debug`.
 */
export function observeRequests(options: ObserveOptions): RequestHandler {
  const { metrics, tracing, routeOf } = options;
  return (request, response, next) => {
    const startedAt = performance.now();
    const { method, originalUrl } = request;
    const isProxied = isFromProxy(request);
    const requestId = (isProxied && idOf(request)) || newId();
    response.set('X-Request-Id', requestId);
    const path = pathOf(originalUrl);
    const trace = tracing.startRequest(method, isProxied ? request.headers : {});
    const log = options.log.child({ requestId, ...trace.ids });
    const locals = response.locals as ObservedLocals;
    Object.assign(locals, { log, trace } satisfies ObservedLocals);

    response.once('close', () => {
      const durationMs = performance.now() - startedAt;
      const status = response.headersSent ? response.statusCode : null;
      const line = {
        method,
        path: escapeControlCharacters(path),
        status,
        durationMs: Math.round(durationMs * 10) / 10,
        userAgent: escapeControlCharacters(request.get('user-agent') ?? ''),
        // Whoever asked did not wait for the end.
        ...(!response.writableFinished && { isCutOff: true }),
      };
      log[locals.isForPages ? 'info' : 'debug'](line, 'request');
      const route = locals.isForPages ? routeOf(path) : otherRouteOf(path);
      metrics.requests.observe({ method, route, status }, durationMs);
      trace.end({ method, route, path, status, requestId });
    });
    next();
  };
}

/** Stands where files have been looked for in vain. */
export const markAsPageRequest: RequestHandler = (_request, response, next) => {
  (response.locals as ObservedLocals).isForPages = true;
  next();
};

/** The log of this request. */
export const requestInfo = (response: Response) => response.locals as ObservedLocals;

// With no proxy of ours in front, or past it, anybody may have written the headers.
function isFromProxy(request: Request): boolean {
  return request.ips.length > 0;
}

function idOf(request: Request): string | null {
  const id = request.get('x-request-id') ?? '';
  return WELL_FORMED_ID.test(id) ? id : null;
}

const newId = () => randomBytes(ID_BYTES).toString('base64url');

function pathOf(url: string): string {
  // A whole address, or a star, is none of our paths.
  return url.startsWith('/') ? url.replace(/[?#].*$/s, '') : '*';
}

const otherRouteOf = (path: string) =>
  /^\/(healthz|readyz|metrics)$/.test(path) ? path : '(file)';

/** The same text on one line, whatever it holds; at most 512 characters. */
export function escapeControlCharacters(text: string): string {
  return text.slice(0, MAX_CHARACTERS).replace(CONTROL_CHARACTERS, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(4, '0');
    return `\\u${code}`;
  });
}
