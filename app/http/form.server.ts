import type { SubmissionResult } from '@conform-to/dom';
import { parseWithZod } from '@conform-to/zod/v4';
import { data } from '@remix-run/node';
import type { z } from 'zod';

/** What the page needs to show a form again: what was typed, and what is wrong with it. */
export type FormReply = SubmissionResult;

export type ParsedForm<Value> =
  { ok: true; value: Value; fail: Fail } | { ok: false; reply: FormReply };

/** Answers a form that was of the right shape and wrong all the same. Keys are field names, or "form". */
export type Fail = (errors: Record<string, string>) => FormReply;

/** Fields that are never sent back, whatever was typed into them. */
const NEVER_SENT_BACK = ['password', 'currentPassword', 'newPassword'];

/**
 * Reads a submitted form and checks it against its schema, asynchronously if the schema asks
 * somebody. Unknown fields are dropped.
 */
export async function parseForm<Schema extends z.ZodType>(
  request: Request,
  schema: Schema,
): Promise<ParsedForm<z.output<Schema>>> {
  const submission = await parseWithZod(await readFormData(request), { schema, async: true });
  const hideFields = NEVER_SENT_BACK as never[];
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
export function tryAgain(reply: FormReply, status = 400) {
  return data({ reply }, { status });
}

async function readFormData(request: Request): Promise<FormData> {
  try {
    return await request.formData();
  } catch {
    throw new Response(null, { status: 400, statusText: 'Bad Request' });
  }
}
