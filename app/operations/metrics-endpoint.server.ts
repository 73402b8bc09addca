import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import express, { type RequestHandler } from 'express';
import type { ShownMetrics } from './metrics.server.ts';

export interface ShowMetricsOptions {
  metrics: Pick<ShownMetrics, 'text' | 'contentType'>;
  /** Whoever asks has to bring it; null: whoever reaches the port may ask. */
  token: string | null;
}

/**
 * `GET /metrics` with the right token. For everybody else there is nothing there: what comes next
 * answers as it does for any address that is none.
 */
export function showMetrics({ metrics, token }: ShowMetricsOptions): RequestHandler {
  return (request, response, next) => {
    if (request.path !== '/metrics' || request.method !== 'GET') return next();
    if (token !== null && !isBearer(request.get('authorization'), token)) return next();
    metrics.text().then((text) => {
      response.set({ 'Cache-Control': 'no-store', 'Content-Type': metrics.contentType });
      // As it is: Express would write its own charset into the type.
      response.end(text);
    }, next);
  };
}

/** A server of their own, which shows the metrics and nothing else. It does not listen yet. */
export function createMetricsServer(options: ShowMetricsOptions): Server {
  const web = express();
  web.disable('x-powered-by');
  web.use(showMetrics(options));
  web.use((_request, response) => {
    response.status(404).type('text/plain').send('There is nothing at this address.\n');
  });
  return createServer(web);
}

// Digests are of one length, and what is compared of them says nothing about the token.
function isBearer(header: string | undefined, token: string): boolean {
  const [, given] = /^Bearer +([^ ]+)$/i.exec(header ?? '') ?? [];
  return given !== undefined && timingSafeEqual(digestOf(given), digestOf(token));
}

const digestOf = (text: string) => createHash('sha256').update(text).digest();
