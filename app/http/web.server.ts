import { createRequestHandler } from '@remix-run/express';
import type { AppLoadContext, ServerBuild } from '@remix-run/node';
import compression from 'compression';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import type { Log } from '#app/operations/log.server.ts';
import type { Metrics } from '#app/operations/metrics.server.ts';
import {
  markAsPageRequest,
  observeRequests,
  requestInfo,
} from '#app/operations/observe-requests.server.ts';
import { createRouteMatcher } from '#app/operations/route-patterns.server.ts';
import type { Tracing } from '#app/operations/tracing.server.ts';
import { limitBody } from './body-limit.server.ts';
import { noStoreByDefault } from './cache-headers.server.ts';
import { trackResponse } from './file-stream.server.ts';
import type { GuardBuild } from './guard.server.ts';
import { rejectMalformedRequests } from './odd-requests.server.ts';
import { limitPathDepth } from './path-depth.server.ts';
import { rejectCrossOrigin } from './same-origin.server.ts';
import { securityHeaders, type NonceLocals } from './security-headers.server.ts';
import type { StartVisit } from './start-visit.server.ts';

interface WebOptions {
  /** Passed to routes, in the load context. */
  app: unknown;
  origin: string;
  log: Log;
  metrics: Pick<Metrics, 'requests'>;
  tracing: Tracing;
  now: () => Date;
  isDevelopment: boolean;
  /** How many proxies in front are ours; their headers about the client's address are trusted. */
  trustedProxies: number;
  /** Remix's build; a function in development, called for each request, because the build changes. */
  build: ServerBuild | (() => Promise<ServerBuild>);
  /** Serve the built files, or Vite's in development. */
  files: RequestHandler[];
  /** Answered without a session, a page or a line in the log: /healthz, /readyz, /metrics. */
  operations: RequestHandler[];
  /** For the addresses below /outbox; `null` without an outbox. */
  outboxHeaders: RequestHandler | null;
  /** The event stream of open pages. */
  events: { path: string; answer: RequestHandler };
  /** Answers everything below /api, and lists the patterns of its addresses. */
  api: { answer: RequestHandler; patterns: string[] };
  /** The paths that take a larger form. */
  largeForms: { paths: readonly string[]; maxBytes: number };
  guard: GuardBuild;
  startVisit: StartVisit;
}

/** Makes the web application: everything between a connection and a route. */
export function createWeb(options: WebOptions): Express {
  const { app, origin, build, guard, startVisit, api, events, outboxHeaders, now } = options;
  const web = express();
  web.disable('x-powered-by');
  web.set('trust proxy', options.trustedProxies);
  // In development the routes change at run time.
  const routeOf = typeof build === 'function' ? () => '*' : createRouteMatcher(build, api.patterns);
  const { log, metrics, tracing, isDevelopment } = options;
  web.use(observeRequests({ log, metrics, tracing, routeOf }));
  web.use(...securityHeaders(origin, { isDevelopment }));
  web.use(limitPathDepth(origin));
  if (outboxHeaders) web.use('/outbox', outboxHeaders);
  web.use(...options.operations);
  // Before compression, which would buffer it.
  web.get(events.path, events.answer);
  web.use('/api', api.answer);
  // Before compression: the files were compressed when they were built.
  web.use(...options.files);
  web.use(compression());
  web.use(markAsPageRequest);
  web.use(noStoreByDefault);
  web.use(rejectCrossOrigin(origin), rejectMalformedRequests(origin));
  web.use(limitBody(options.largeForms));
  const handle = createRequestHandler({
    build: typeof build === 'function' ? async () => guard(await build()) : guard(build),
    mode: isDevelopment ? 'development' : 'production',
    getLoadContext: (request, response) =>
      ({
        app,
        visit: startVisit(request, response, now()),
        nonce: (response.locals as NonceLocals).nonce,
        outgoing: trackResponse(response),
      }) as AppLoadContext,
  });
  web.all('*', (request, response, next) => {
    handle(request, response, next).catch(next);
  });
  web.use(lastResort);
  return web;
}

// Failures before or after a route; a route's own failure has its own page.
const lastResort: ErrorRequestHandler = (error: unknown, request, response, _next) => {
  const { log } = requestInfo(response);
  log.error({ err: error, method: request.method, path: request.path }, 'a request failed');
  if (response.headersSent) {
    // Express would do the same, and also print the error to the console.
    request.socket.destroy();
    return;
  }
  response.status(500).type('text/plain').send('Something went wrong on our side.\n');
};
