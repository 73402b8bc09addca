import type { z } from 'zod';
import type { TokenScope } from '#app/tokens/token-schema.ts';
import type { ResponseProgress } from '#app/http/file-stream.server.ts';
import type { Visit } from '#app/visit/visit.ts';
import type { ApiApp } from './api-app.ts';
import type { Answer } from './answer.server.ts';
import type { Caller } from './caller.server.ts';
import type { ProblemName } from './problems.server.ts';

/** One thing that the API does: what it is called, who may, what goes in and what comes out. */
export interface Operation<Body = unknown, Query = unknown, Who = unknown> {
  /** Names it in the description, and in the programs that are made from it. */
  id: string;
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** With `{id}` where an id stands. */
  path: `/api/${string}`;
  summary: string;
  /** What else there is to know, in sentences. */
  more?: string;
  /**
   * Who may: anybody, whoever is signed in, or these and tokens of a scope ('any': of whatever scope).
   */
  allows: 'anybody' | 'sessions' | { tokens: TokenScope | 'any' };
  /** What it reads of the body; left out: nothing. */
  body?: z.ZodType<Body>;
  /** What it reads of the query; left out: nothing. */
  query?: z.ZodType<Query>;
  success: { status: 200 | 204; what: string; body?: z.ZodType; contentType?: string };
  /** Besides what any operation may answer. */
  problems?: ProblemName[];
  run(call: Call<Body, Query, Who>): Promise<Answer> | Answer;
}

export interface Call<Body, Query, Who> {
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

/** An operation for whoever is known. */
export const operation = <Body, Query>(
  described: Operation<Body, Query, Caller>,
): Operation<never, never, never> => described as Operation<never, never, never>;

/** An operation for whoever is signed in with a session, and for no token. */
export const sessionOperation = <Body, Query>(
  described: Operation<Body, Query, Caller & { by: 'session' }> & { allows: 'sessions' },
): Operation<never, never, never> => described as Operation<never, never, never>;

/** An operation for anybody. */
export const openOperation = <Body, Query>(
  described: Operation<Body, Query, null> & { allows: 'anybody' },
): Operation<never, never, never> => described as Operation<never, never, never>;

/** As the dispatcher holds them, whatever goes in. */
export type AnyOperation = Operation<never, never, never>;
