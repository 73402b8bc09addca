import type { SubmissionResult } from '@conform-to/dom';
import { parseWithZod } from '@conform-to/zod/v4';
import { data, type HeadersFunction } from '@remix-run/node';
import type { z } from 'zod';

/** What a page needs to show a form again: the typed values and the errors. */
export type FormReply = SubmissionResult;

type ParsedForm<Value> = { ok: true; value: Value; fail: Fail } | { ok: false; reply: FormReply };

/** Returns the reply to a form that matches its schema and is still wrong. Keys: field names, or "form". */
export type Fail = (errors: Record<string, string>) => FormReply;

/** Fields whose values are never sent back to the page. */
const SECRET_FIELDS = [
  'password',
  'newPassword',
  'code',
  'recoveryCode',
  'secondFactor',
  'key',
  'credential',
];

/**
 * Reads a submitted form and checks it against its schema. Drops unknown fields.
 *
 * @throws {Response} 400 for a request that none of our forms sends: not a form, a file, a field twice.
 */
export async function parseForm<Schema extends z.ZodObject>(
  request: Request,
  schema: Schema,
): Promise<ParsedForm<z.output<Schema>>> {
  const fields = fieldsOf(await readFormData(request), Object.keys(schema.shape));
  const submission = await parseWithZod(fields, { schema, async: true });
  const hideFields = SECRET_FIELDS as never[];
  if (submission.status !== 'success') {
    return { ok: false, reply: submission.reply({ hideFields }) };
  }
  const fail: Fail = ({ form, ...fields }) =>
    submission.reply({
      hideFields,
      ...(form ? { formErrors: [form] } : {}),
      fieldErrors: Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, [text]])),
    });
  return { ok: true, value: submission.value, fail };
}

/** Shows the form again with its errors: 400, or the status given. */
export function showAgain(reply: FormReply, status = 400) {
  return data({ reply }, { status });
}

async function readFormData(request: Request): Promise<FormData> {
  try {
    return await request.formData();
  } catch {
    throw badRequest();
  }
}

/**
 * Returns the fields of these names, one text each. Conform interprets names: `email[4294967294]` would
 * be a list of that length, which no memory holds, and `__intent__` a command.
 */
function fieldsOf(form: FormData, names: string[]): FormData {
  const fields = new FormData();
  for (const name of names) {
    const [value, ...more] = form.getAll(name);
    if (value === undefined) continue;
    if (typeof value !== 'string' || more.length > 0) throw badRequest();
    fields.set(name, value);
  }
  return fields;
}

const MINUTE_SECONDS = 60;

/** Shows the form again and says when to retry: 429 (RFC 6585 §4). */
export function showTooManyAttempts(fail: Fail, retryAfterSeconds: number) {
  const wait = waitText(retryAfterSeconds);
  const reply = fail({ form: `That was tried too often. Wait ${wait}, then try again.` });
  return data({ reply }, { status: 429, headers: { 'Retry-After': String(retryAfterSeconds) } });
}

/** Returns a 429 for a request without a form: throw it, and the error page says when to retry. */
export function tooManyRequests(retryAfterSeconds: number): Response {
  return new Response(waitText(retryAfterSeconds), {
    status: 429,
    statusText: 'Too Many Requests',
    headers: { 'Retry-After': String(retryAfterSeconds), 'Content-Type': 'text/plain' },
  });
}

/** Returns how long to wait: "a minute", "5 minutes". */
export function waitText(seconds: number): string {
  const minutes = Math.ceil(seconds / MINUTE_SECONDS);
  return minutes === 1 ? 'a minute' : `${minutes} minutes`;
}

/** Returns 404: the same for an unknown id and for another user's. */
export const notFound = () => new Response(null, { status: 404, statusText: 'Not Found' });

/**
 * Returns the value that was found.
 *
 * @throws {Response} 404 if it is `null`.
 */
export function orNotFound<Found>(found: Found | null): Found {
  if (found === null) throw notFound();
  return found;
}

/** For routes with such a form: without it Remix keeps an action's headers from the page. */
export const retryHeaders: HeadersFunction = ({ actionHeaders, errorHeaders }) => {
  const retryAfter = (errorHeaders ?? actionHeaders).get('Retry-After');
  const headers = new Headers();
  if (retryAfter !== null) headers.set('Retry-After', retryAfter);
  return headers;
};

/** Returns a 400 for a request that no page of ours sends. */
export const badRequest = () => new Response(null, { status: 400, statusText: 'Bad Request' });
