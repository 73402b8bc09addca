import type { z } from 'zod';
import type { TokenScope } from '#app/tokens/token-schema.ts';
import type { ResponseProgress } from '#app/http/file-stream.server.ts';
import type { Visit } from '#app/visit/visit.ts';
import type { ApiApp } from './api-app.ts';
import type { Answer } from './answer.server.ts';
import type { Caller } from './caller.server.ts';
import type { ProblemName } from './problems.server.ts';

/** An operation of the API: its name, who may call it, its input and its output. */
interface Operation<Body = unknown, Query = unknown, Who = unknown> {
  /** The `operationId` of the OpenAPI document; generated clients use it as a name. */
  id: string;
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** With `{id}` for the place of an id. */
  path: `/api/${string}`;
  summary: string;
  /** More about it, in sentences. */
  more?: string;
  /**
   * Who may call it: every client, sessions only, or sessions and tokens with a scope ('any': with any
   * scope).
   */
  allows: 'anybody' | 'sessions' | { tokens: TokenScope | 'any' };
  /** Schema of the body. Without it, the body is not read. */
  body?: z.ZodType<Body>;
  /** Schema of the query. Without it, the query is ignored. */
  query?: z.ZodType<Query>;
  success: { status: 200 | 204; what: string; body?: z.ZodType; contentType?: string };
  /** Its problems, besides those that every operation may answer with. */
  problems?: ProblemName[];
  run(call: Call<Body, Query, Who>): Promise<Answer> | Answer;
}

interface Call<Body, Query, Who> {
  app: ApiApp;
  visit: Visit;
  caller: Who;
  /** How far the response has been sent, for operations that stream one. */
  progress: () => ResponseProgress;
  /** The value of `{id}`. */
  id: string;
  body: Body;
  query: Query;
}

/** Makes an operation that requires a session or a token. */
export const operation = <Body, Query>(
  described: Operation<Body, Query, Caller>,
): Operation<never, never, never> => described as Operation<never, never, never>;

/** Makes an operation that requires a session, and refuses personal access tokens. */
export const sessionOperation = <Body, Query>(
  described: Operation<Body, Query, Caller & { by: 'session' }> & { allows: 'sessions' },
): Operation<never, never, never> => described as Operation<never, never, never>;

/** Makes an operation that is open to every client. */
export const openOperation = <Body, Query>(
  described: Operation<Body, Query, null> & { allows: 'anybody' },
): Operation<never, never, never> => described as Operation<never, never, never>;

/** An operation of any input, as the dispatcher holds it. */
export type AnyOperation = Operation<never, never, never>;
