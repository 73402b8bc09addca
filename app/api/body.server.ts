import express, { type Request, type RequestHandler, type Response } from 'express';
import type { z } from 'zod';
import type { JsonAnswer } from './answer.server.ts';
import { problem, type ProblemName } from './problems.server.ts';

/** Far more than any operation needs. */
const MAX_BODY_BYTES = 16 * 1024;

const parse: RequestHandler = express.json({
  limit: MAX_BODY_BYTES,
  inflate: false,
  strict: false,
});

type ReadResult<Value> = { ok: true; value: Value } | { ok: false; answer: JsonAnswer };

/** Reads the body as JSON and checks it. */
export async function readBody<Value>(
  context: { origin: string },
  request: Request,
  response: Response,
  schema: z.ZodType<Value>,
): Promise<ReadResult<Value>> {
  // A form cannot send this type, so a form of another site is refused.
  if (!request.is('application/json')) return refuse(context, 'not-json-type');
  const failure = await new Promise<unknown>((resolve) => parse(request, response, resolve));
  if (failure !== undefined) return refuse(context, nameOf(failure));
  return check(context, schema, request.body);
}

/** Checks a value against its schema; the errors name the fields. */
export function check<Value>(
  context: { origin: string },
  schema: z.ZodType<Value>,
  given: unknown,
): ReadResult<Value> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return { ok: true, value: parsed.data };
  const errors = parsed.error.issues.map(({ path, message }) => ({
    field: path.join('.'),
    message,
  }));
  return { ok: false, answer: problem(context, 'invalid-fields', { errors }) };
}

function nameOf(failure: unknown): ProblemName {
  const { status } = failure as { status?: unknown };
  if (status === 413) return 'too-large';
  return status === 415 ? 'not-json-type' : 'not-json';
}

const refuse = (context: { origin: string }, name: ProblemName) =>
  ({
    ok: false,
    answer: problem(
      context,
      name,
      name === 'too-large' ? { headers: { Connection: 'close' } } : {},
    ),
  }) as const;
