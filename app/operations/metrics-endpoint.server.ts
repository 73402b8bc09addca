import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import express, { type RequestHandler } from 'express';
import type { ShownMetrics } from './metrics.server.ts';

interface ShowMetricsOptions {
  metrics: Pick<ShownMetrics, 'text' | 'contentType'>;
  /** The bearer token that a request needs; `null`: every request to the port is answered. */
  token: string | null;
}

/**
 * Answers `GET /metrics` with the right token. Passes every other request on, so that without the token
 * the path looks like any unknown URL.
 */
export function showMetrics({ metrics, token }: ShowMetricsOptions): RequestHandler {
  return (request, response, next) => {
    if (request.path !== '/metrics' || request.method !== 'GET') return next();
    if (token !== null && !isBearer(request.get('authorization'), token)) return next();
    metrics.text().then((text) => {
      response.set({ 'Cache-Control': 'no-store', 'Content-Type': metrics.contentType });
      // Not `send`: Express would add its own charset to the content type.
      response.end(text);
    }, next);
  };
}

/** Creates a separate server that serves only the metrics. It does not listen yet. */
export function createMetricsServer(options: ShowMetricsOptions): Server {
  const web = express();
  web.disable('x-powered-by');
  web.use(showMetrics(options));
  web.use((_request, response) => {
    response.status(404).type('text/plain').send('There is nothing at this address.\n');
  });
  return createServer(web);
}

// Compares digests: they have equal lengths, and the time of the comparison reveals nothing.
function isBearer(header: string | undefined, token: string): boolean {
  const [, given] = /^Bearer +([^ ]+)$/i.exec(header ?? '') ?? [];
  return given !== undefined && timingSafeEqual(digestOf(given), digestOf(token));
}

const digestOf = (text: string) => createHash('sha256').update(text).digest();
