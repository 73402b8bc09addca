import { randomBytes } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import type { Log } from './log.server.ts';
import type { Metrics } from './metrics.server.ts';
import type { RequestTrace, Tracing } from './tracing.server.ts';

/** Data of a running request, in `response.locals`. */
interface ObservedLocals {
  /** Adds the request's id to every line. */
  log: Log;
  trace: RequestTrace;
  /** True once the request has reached the pages: it is neither for a file nor a health check. */
  isForPages?: boolean;
}

interface ObserveOptions {
  log: Log;
  metrics: Pick<Metrics, 'requests'>;
  tracing: Tracing;
  /** Returns the pattern of the route that answers a path, from a bounded set. */
  routeOf: (path: string) => string;
}

/** 96 bits, in base64url with few digits, so that an id in the log does not look like a one-time code. */
const ID_BYTES = 12;
const WELL_FORMED_ID = /^[A-Za-z0-9._-]{8,64}$/;
const MAX_CHARACTERS = 512;
/** Includes control characters that JSON does not escape and that a terminal may execute. */
const CONTROL_CHARACTERS = /[\p{Cc}\u2028\u2029]/gu;

/**
 * Gives every request an id, and records its outcome: a log line, a metric, a span. Must come first, so
 * that it also records refused requests.
 *
 * The id comes from a trusted proxy if it sends one; the response has it as `X-Request-Id`. The log line
 * has the path without the query, which may contain secrets. Files and health checks are logged at
 * `debug`.
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
        // The client disconnected before the end of the response.
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

/** Marks a request as one for pages. Comes after the static files, when no file matched. */
export const markAsPageRequest: RequestHandler = (_request, response, next) => {
  (response.locals as ObservedLocals).isForPages = true;
  next();
};

/** Returns the observed data of a request. */
export const requestInfo = (response: Response) => response.locals as ObservedLocals;

// Without a trusted proxy, a client may have written these headers itself.
function isFromProxy(request: Request): boolean {
  return request.ips.length > 0;
}

function idOf(request: Request): string | null {
  const id = request.get('x-request-id') ?? '';
  return WELL_FORMED_ID.test(id) ? id : null;
}

const newId = () => randomBytes(ID_BYTES).toString('base64url');

function pathOf(url: string): string {
  // A request target may also be a whole URL or "*" (RFC 9112, 3.2); both are logged as "*".
  return url.startsWith('/') ? url.replace(/[?#].*$/s, '') : '*';
}

const otherRouteOf = (path: string) =>
  /^\/(healthz|readyz|metrics)$/.test(path) ? path : '(file)';

/** Returns the text on one line, with escaped control characters; at most 512 characters. */
export function escapeControlCharacters(text: string): string {
  return text.slice(0, MAX_CHARACTERS).replace(CONTROL_CHARACTERS, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(4, '0');
    return `\\u${code}`;
  });
}
