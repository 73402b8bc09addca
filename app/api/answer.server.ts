import type { z } from 'zod';

/** An answer as JSON, or without content. */
export interface JsonAnswer {
  status: number;
  /** Left out: there is no content. */
  body?: unknown;
  headers?: Record<string, string | string[]>;
}

/** What an operation answers with; a `Response` is a file that is made while it is sent. */
export type Answer = JsonAnswer | Response;

export const NO_CONTENT: JsonAnswer = { status: 204 };

/** 200 with a body that is what the schema says: TypeScript compares. */
export function answerOf<Schema extends z.ZodType>(
  _schema: Schema,
  body: z.input<Schema>,
  headers: JsonAnswer['headers'] = {},
): JsonAnswer {
  return { status: 200, body, headers };
}
