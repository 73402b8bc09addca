import type { z } from 'zod';

/** A response with JSON, or without content. */
export interface JsonAnswer {
  status: number;
  /** Without it, the response has no content. */
  body?: unknown;
  headers?: Record<string, string | string[]>;
}

/** The result of an operation; a `Response` is a file that is made while it is sent. */
export type Answer = JsonAnswer | Response;

export const NO_CONTENT: JsonAnswer = { status: 204 };

/** Returns 200 with a body. The schema is only for the compiler, which checks the body against it. */
export function answerOf<Schema extends z.ZodType>(
  _schema: Schema,
  body: z.input<Schema>,
  headers: JsonAnswer['headers'] = {},
): JsonAnswer {
  return { status: 200, body, headers };
}
