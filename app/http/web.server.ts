import { createRequestHandler } from '@remix-run/express';
import type { AppLoadContext, ServerBuild } from '@remix-run/node';
import compression from 'compression';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import type { Application, PageContext } from '#app/context.server.ts';
import type { Tracing } from '#app/operations/tracing.server.ts';
import { limitBody } from './body-limit.server.ts';
import { guardBuild } from './guard.server.ts';
import { noStoreByDefault } from './cache-headers.server.ts';
import { startVisit } from './start-visit.server.ts';
import {
  markAsPageRequest,
  requestInfo,
  observeRequests,
} from '#app/operations/observe-requests.server.ts';
import { rejectMalformedRequests } from './odd-requests.server.ts';
import { outboxHeaders } from '#app/mail/outbox-access.server.ts';
import { limitPathDepth } from './path-depth.server.ts';
import type { RouteAccess } from './route-access.ts';
import { createRouteMatcher } from '#app/operations/route-patterns.server.ts';
import { rejectCrossOrigin } from './same-origin.server.ts';
import { SESSION_EVENTS_PATH } from '#app/live/session-streams.server.ts';
import { securityHeaders } from './security-headers.server.ts';

export interface WebOptions {
  application: Application;
  /** Remix's build; asked for at each request in development, where it changes. */
  build: ServerBuild | (() => Promise<ServerBuild>);
  /** Who may open each route, by its id. */
  access: ReadonlyMap<string, RouteAccess>;
  mode: 'development' | 'production';
  /** How many proxies in front are ours; what they say of the visitor's address is believed. */
  trustedProxies: number;
  /** Serves the built files, or Vite in development. */
  files: RequestHandler[];
  /** What is answered without a session, a page or a line in the log: /healthz, /readyz, /metrics. */
  operations: RequestHandler[];
  /** Answers everything below /api, and says which addresses there are. */
  api: { answer: RequestHandler; patterns: string[] };
  tracing: Tracing;
  now: () => Date;
}

/** The web application: everything between a connection and a route. */
export function createWeb(options: WebOptions): Express {
  const { application, build, access, mode, trustedProxies, files, operations, api, tracing, now } =
    options;
  const web = express();
  web.disable('x-powered-by');
  web.set('trust proxy', trustedProxies);
  // In development the routes change while it runs.
  const routeOf = typeof build === 'function' ? () => '*' : createRouteMatcher(build, api.patterns);
  web.use(observeRequests({ ...application, tracing, routeOf }));
  web.use(...securityHeaders(application.origin, { isDevelopment: mode === 'development' }));
  web.use(limitPathDepth(application.origin));
  if (application.outbox) web.use('/outbox', outboxHeaders);
  web.use(...operations);
  // Before what would gather its bytes.
  web.get(SESSION_EVENTS_PATH, application.streams.answer);
  web.use('/api', api.answer);
  // Before what compresses: they were compressed when they were built.
  web.use(...files);
  web.use(compression());
  web.use(markAsPageRequest);
  web.use(noStoreByDefault);
  web.use(rejectCrossOrigin(application.origin), rejectMalformedRequests(application.origin));
  web.use(limitBody());
  const guarded =
    typeof build === 'function'
      ? async () => guardBuild(await build(), access)
      : guardBuild(build, access);
  const handle = createRequestHandler({
    build: guarded,
    mode,
    getLoadContext: (request, response) =>
      startVisit(application, request, response, now()) as PageContext & AppLoadContext,
  });
  web.all('*', (request, response, next) => {
    handle(request, response, next).catch(next);
  });
  web.use(lastResort);
  return web;
}

// What fails before or after a route; a route's own failure has a page of its own.
const lastResort: ErrorRequestHandler = (error: unknown, request, response, _next) => {
  const { log } = requestInfo(response);
  log.error({ err: error, method: request.method, path: request.path }, 'a request failed');
  if (response.headersSent) {
    // Express would do the same, and print the error to the console besides.
    request.socket.destroy();
    return;
  }
  response.status(500).type('text/plain').send('Something went wrong on our side.\n');
};
