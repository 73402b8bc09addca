import { redirect, type TypedResponse } from '@remix-run/node';
import type { PageContext } from '#app/context.server.ts';
import type { AttemptPermit } from '#app/limits/rate-limits.server.ts';
import { writeToast } from '#app/http/toast.server.ts';

/** Back to where the code is typed, with word of what became of it; to the start when there is none to wait for. */
export function answerResent(
  context: PageContext,
  sent: AttemptPermit | null,
  { page, start }: { page: string; start: string },
): TypedResponse<never> {
  if (!sent) return redirect(start);
  const toast = sent.isAllowed
    ? ({ kind: 'code-sent-again' } as const)
    : ({ kind: 'too-many-mails', minutes: Math.ceil(sent.retryAfterSeconds / 60) } as const);
  return redirect(page, { headers: { 'Set-Cookie': writeToast(toast, context.origin) } });
}
