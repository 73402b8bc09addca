import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, RequestHandler, Response } from 'express';
import type { Application, PageContext } from '#app/context.server.ts';
import { isUserGone } from '#app/database/errors.server.ts';
import { startVisit } from '#app/http/start-visit.server.ts';
import { requestInfo } from '#app/operations/observe-requests.server.ts';
import {
  refundAttempts,
  isOutage,
  OUTAGE_RETRY_SECONDS,
  publishProfileChanges,
} from '#app/database/outage.server.ts';
import type { Answer, JsonAnswer } from './answer.server.ts';
import { check, readBody } from './body.server.ts';
import {
  readCredentials,
  findCaller,
  isTrustedSource,
  type RequestCredentials,
  type Caller,
} from './caller.server.ts';
import type { AnyOperation } from './operation.server.ts';
import { documentOperation } from './operations/document.server.ts';
import { allOperations } from './operations/all-operations.server.ts';
import { problem } from './problems.server.ts';

export interface Api {
  /** Answers everything below /api, and lets nothing by. */
  answer: RequestHandler;
  /** What its addresses look like, for whoever counts requests. */
  patterns: string[];
}

const ID = '([\\w-]{1,64})';

/** The JSON API. It is answered before Remix, which would take three times as long. */
export function createApi(application: Application, now: () => Date): Api {
  const operations = [...allOperations, documentOperation(application)];
  const routes = operations.map((operation) => ({
    operation,
    matches: new RegExp(`^${operation.path.replaceAll('.', '\\.').replace('{id}', ID)}$`),
  }));
  const answer = async (request: Request, response: Response) => {
    requestInfo(response).isForPages = true;
    const path = request.originalUrl.replace(/[?#].*$/s, '');
    const found = routes.filter(({ matches }) => matches.test(path));
    if (found.length === 0) return send(response, problem(application, 'not-found'));
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const route = found.find(({ operation }) => operation.method === method);
    if (!route) return send(response, methodNotAllowed(application, found));
    const id = route.matches.exec(path)?.[1] ?? '';
    const brought = readCredentials(request, application);
    const context = contextOf(application, request, response, now(), brought, route.operation);
    try {
      await send(response, await run(route.operation, { context, request, response, brought, id }));
    } catch (error) {
      await send(response, await failure(context, error));
    }
  };
  return {
    answer: (request, response, next) => {
      answer(request, response).catch(next);
    },
    patterns: [...new Set(operations.map(({ path }) => path.replace('{id}', ':id')))],
  };
}

function methodNotAllowed(
  application: Application,
  found: { operation: AnyOperation }[],
): JsonAnswer {
  const methods = [...new Set(found.map(({ operation }) => operation.method))];
  const allow = methods.includes('GET') ? [...methods, 'HEAD'] : methods;
  return problem(application, 'method-not-allowed', { headers: { Allow: allow.join(', ') } });
}

// Signing in looks at no cookie: the browser's own session is none of its business.
function contextOf(
  application: Application,
  request: Request,
  response: Response,
  now: Date,
  { bearer, cookie }: RequestCredentials,
  { allows }: AnyOperation,
): PageContext {
  const held = bearer?.kind === 'session' ? bearer.token : allows === 'anybody' ? null : cookie;
  return startVisit(application, request, response, now, held);
}

interface Asked {
  context: PageContext;
  request: Request;
  response: Response;
  brought: RequestCredentials;
  id: string;
}

async function run(
  operation: AnyOperation,
  { context, request, response, brought, id }: Asked,
): Promise<Answer> {
  if (!isTrustedSource(request, brought, context.origin)) return problem(context, 'other-origin');
  const { allows } = operation;
  const caller = allows === 'anybody' ? null : await findCaller(context, brought);
  if (allows !== 'anybody') {
    if (!caller) return notSignedIn(context, brought);
    if (!isAllowed(caller, allows)) return scopeMissing(context, allows);
  }
  const query = operation.query ? check(context, operation.query, request.query) : NOTHING;
  if (!query.ok) return query.answer;
  const body = operation.body
    ? await readBody(context, request, response, operation.body)
    : NOTHING;
  if (!body.ok) return body.answer;
  const call = { context, caller, id, body: body.value, query: query.value };
  const answer = await operation.run(call as never);
  context.owed.tries.clear();
  if (operation.method !== 'GET') await publishProfileChanges(context);
  return answer;
}

const NOTHING = { ok: true, value: undefined } as const;

function isAllowed(caller: Caller, allows: Exclude<AnyOperation['allows'], 'anybody'>): boolean {
  if (caller.by === 'session') return true;
  if (allows === 'sessions') return false;
  return allows.tokens === 'any' || caller.scopes.includes(allows.tokens);
}

function notSignedIn(context: PageContext, { bearer }: RequestCredentials): JsonAnswer {
  const challenge = bearer ? 'Bearer error="invalid_token"' : 'Bearer';
  return problem(context, 'not-signed-in', { headers: { 'WWW-Authenticate': challenge } });
}

function scopeMissing(context: PageContext, allows: AnyOperation['allows']): JsonAnswer {
  const scope = typeof allows === 'object' ? ` scope="${allows.tokens}"` : '';
  const challenge = `Bearer error="insufficient_scope"${scope && `,${scope}`}`;
  return problem(context, 'scope-missing', { headers: { 'WWW-Authenticate': challenge } });
}

async function failure(context: PageContext, error: unknown): Promise<JsonAnswer> {
  if (isUserGone(error)) {
    context.log.info('an account was erased while a request for it was under way');
    return problem(context, 'not-signed-in');
  }
  if (!isOutage(error)) {
    context.log.error({ err: error }, 'a request failed');
    return problem(context, 'failed');
  }
  context.log.error({ err: error }, 'a dependency is down; answered with 503');
  await refundAttempts(context);
  const { cookies } = context.owed;
  return problem(context, 'unavailable', {
    headers: {
      'Retry-After': String(OUTAGE_RETRY_SECONDS),
      ...(cookies.length > 0 && { 'Set-Cookie': cookies }),
    },
  });
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
  // What breaks off was logged by whoever made it; the connection is cut.
  await pipeline(content, response).catch(() => undefined);
}
