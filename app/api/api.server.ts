import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, RequestHandler, Response } from 'express';
import { OUTAGE_RETRY_SECONDS } from '#app/database/outage.server.ts';
import { trackResponse } from '#app/http/file-stream.server.ts';
import type { SettleVisit } from '#app/http/settle-visit.server.ts';
import type { StartVisit } from '#app/http/start-visit.server.ts';
import { requestInfo } from '#app/operations/observe-requests.server.ts';
import type { Visit } from '#app/visit/visit.ts';
import type { Answer, JsonAnswer } from './answer.server.ts';
import type { ApiApp } from './api-app.ts';
import { check, readBody } from './body.server.ts';
import {
  findCaller,
  isTrustedSource,
  readCredentials,
  type Caller,
  type RequestCredentials,
} from './caller.server.ts';
import type { AnyOperation } from './operation.server.ts';
import { allOperations } from './operations/all-operations.server.ts';
import { documentOperation } from './operations/document.server.ts';
import { problem } from './problems.server.ts';

interface Api {
  /** Answers everything below /api. */
  answer: RequestHandler;
  /** The patterns of its addresses, for the metrics. */
  patterns: string[];
}

interface ApiOptions {
  app: ApiApp;
  startVisit: StartVisit;
  settleVisit: SettleVisit;
  now: () => Date;
}

const ID = '([\\w-]{1,64})';

/** Makes the JSON API. It runs before Remix, which would take three times as long. */
export function createApi({ app, startVisit, settleVisit, now }: ApiOptions): Api {
  const operations = [...allOperations, documentOperation(app)];
  const routes = operations.map((operation) => ({
    operation,
    matches: new RegExp(`^${operation.path.replaceAll('.', '\\.').replace('{id}', ID)}$`),
  }));

  const answer = async (request: Request, response: Response) => {
    requestInfo(response).isForPages = true;
    const path = request.originalUrl.replace(/[?#].*$/s, '');
    const found = routes.filter(({ matches }) => matches.test(path));
    if (found.length === 0) return send(response, problem(app, 'not-found'));
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const route = found.find(({ operation }) => operation.method === method);
    if (!route) return send(response, methodNotAllowed(app, found));
    const { operation } = route;
    const id = route.matches.exec(path)?.[1] ?? '';
    const credentials = readCredentials(request, app);
    const visit = startVisit(request, response, now(), tokenFor(operation, credentials));
    const apiRequest = { app, visit, request, response, credentials, id };
    try {
      const isChange = operation.method !== 'GET';
      const settled = await settleVisit(visit, () => run(operation, apiRequest), { isChange });
      if (settled.state === 'done') return await send(response, settled.result);
      await send(response, settled.state === 'outage' ? unavailable(app) : userGone(app));
    } catch (error) {
      visit.log.error({ err: error }, 'a request failed');
      await send(response, problem(app, 'failed'));
    }
  };

  return {
    answer: (request, response, next) => {
      answer(request, response).catch(next);
    },
    patterns: [...new Set(operations.map(({ path }) => path.replace('{id}', ':id')))],
  };
}

function methodNotAllowed(app: ApiApp, found: { operation: AnyOperation }[]): JsonAnswer {
  const methods = [...new Set(found.map(({ operation }) => operation.method))];
  const allow = methods.includes('GET') ? [...methods, 'HEAD'] : methods;
  return problem(app, 'method-not-allowed', { headers: { Allow: allow.join(', ') } });
}

const userGone = (app: ApiApp) => problem(app, 'not-signed-in');

const unavailable = (app: ApiApp) =>
  problem(app, 'unavailable', { headers: { 'Retry-After': String(OUTAGE_RETRY_SECONDS) } });

// Open operations ignore the cookie: a sign-in with the API must not end the browser's own session.
function tokenFor({ allows }: AnyOperation, { bearer, cookie }: RequestCredentials): string | null {
  if (bearer?.kind === 'session') return bearer.token;
  return allows === 'anybody' ? null : cookie;
}

interface ApiRequest {
  app: ApiApp;
  visit: Visit;
  request: Request;
  response: Response;
  credentials: RequestCredentials;
  id: string;
}

async function run(operation: AnyOperation, apiRequest: ApiRequest): Promise<Answer> {
  const { app, visit, request, response, credentials, id } = apiRequest;
  if (!isTrustedSource(request, credentials, app.origin)) return problem(app, 'other-origin');
  const { allows } = operation;
  const caller = allows === 'anybody' ? null : await findCaller(app, visit, credentials);
  if (allows !== 'anybody') {
    if (!caller) return notSignedIn(app, credentials);
    if (!isAllowed(caller, allows)) return scopeMissing(app, allows);
  }
  const query = operation.query ? check(app, operation.query, request.query) : NOTHING;
  if (!query.ok) return query.answer;
  const body = operation.body ? await readBody(app, request, response, operation.body) : NOTHING;
  if (!body.ok) return body.answer;
  const call = {
    app,
    visit,
    caller,
    id,
    body: body.value,
    query: query.value,
    progress: () => trackResponse(response),
  };
  return operation.run(call as never);
}

const NOTHING = { ok: true, value: undefined } as const;

function isAllowed(caller: Caller, allows: Exclude<AnyOperation['allows'], 'anybody'>): boolean {
  if (caller.by === 'session') return true;
  if (allows === 'sessions') return false;
  return allows.tokens === 'any' || caller.scopes.includes(allows.tokens);
}

function notSignedIn(app: ApiApp, { bearer }: RequestCredentials): JsonAnswer {
  const challenge = bearer ? 'Bearer error="invalid_token"' : 'Bearer';
  return problem(app, 'not-signed-in', { headers: { 'WWW-Authenticate': challenge } });
}

function scopeMissing(app: ApiApp, allows: AnyOperation['allows']): JsonAnswer {
  const scope = typeof allows === 'object' ? ` scope="${allows.tokens}"` : '';
  const challenge = `Bearer error="insufficient_scope"${scope && `,${scope}`}`;
  return problem(app, 'scope-missing', { headers: { 'WWW-Authenticate': challenge } });
}

async function send(response: Response, answer: Answer): Promise<void> {
  if (answer instanceof globalThis.Response) return sendStream(response, answer);
  const { status, body, headers } = answer;
  const content = body === undefined ? undefined : JSON.stringify(body);
  response.writeHead(status, {
    'Cache-Control': 'no-store',
    ...(content !== undefined && {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(content),
    }),
    ...headers,
  });
  response.end(content);
}

async function sendStream(response: Response, answer: globalThis.Response): Promise<void> {
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  const content = Readable.fromWeb(answer.body as import('node:stream/web').ReadableStream);
  // `sendFile` has logged the failure; cut the connection.
  await pipeline(content, response).catch(() => undefined);
}
