import type { SubmissionResult } from '@conform-to/dom';
import { parseWithZod } from '@conform-to/zod/v4';
import { data, type HeadersFunction } from '@remix-run/node';
import type { z } from 'zod';

/** What the page needs to show a form again: what was typed, and what is wrong with it. */
export type FormReply = SubmissionResult;

export type ParsedForm<Value> =
  { ok: true; value: Value; fail: Fail } | { ok: false; reply: FormReply };

/** Answers a form that was of the right shape and wrong all the same. Keys are field names, or "form". */
export type Fail = (errors: Record<string, string>) => FormReply;

/** Fields that are never sent back, whatever was typed into them. */
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
 * Reads a submitted form and checks it against its schema, asynchronously if the schema asks
 * somebody. Unknown fields are dropped.
 *
 * @throws {Response} 400 for what no form of ours sends: no form at all, a file, a field that comes twice.
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

/** The form once more, with its errors: 400, or the status given. */
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
 * The fields of these names, one text each. Conform would read more into a name: `email[4294967294]`
 * is a list of that length to it, which no memory holds, and `__intent__` a command.
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

/** The form once more, with word of when to come back: 429 (RFC 6585 §4). */
export function showTooManyAttempts(fail: Fail, retryAfterSeconds: number) {
  const wait = waitText(retryAfterSeconds);
  const reply = fail({ form: `That was tried too often. Wait ${wait}, then try again.` });
  return data({ reply }, { status: 429, headers: { 'Retry-After': String(retryAfterSeconds) } });
}

/** The same where there is no form to show again: throw it, and the error page says when to come back. */
export function tooManyRequests(retryAfterSeconds: number): Response {
  return new Response(waitText(retryAfterSeconds), {
    status: 429,
    statusText: 'Too Many Requests',
    headers: { 'Retry-After': String(retryAfterSeconds), 'Content-Type': 'text/plain' },
  });
}

function waitText(seconds: number): string {
  const minutes = Math.ceil(seconds / MINUTE_SECONDS);
  return minutes === 1 ? 'a minute' : `${minutes} minutes`;
}

/** For routes with such a form: without it Remix keeps an action's headers from the page. */
export const retryHeaders: HeadersFunction = ({ actionHeaders, errorHeaders }) => {
  const retryAfter = (errorHeaders ?? actionHeaders).get('Retry-After');
  const headers = new Headers();
  if (retryAfter !== null) headers.set('Retry-After', retryAfter);
  return headers;
};

const badRequest = () => new Response(null, { status: 400, statusText: 'Bad Request' });
