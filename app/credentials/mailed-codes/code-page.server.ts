import { redirect, type TypedResponse } from '@remix-run/node';
import { waitText } from '#app/http/form.server.ts';
import type { Toast } from '#app/http/toast.server.ts';
import type { AttemptPermit } from '#app/limits/rate-limits.server.ts';
import type { Visit } from '#app/visit/visit.ts';

/**
 * Returns a redirect to the page where the code is typed, with a message whether it was sent again; to
 * the start if this browser waits for no code.
 */
export function answerResent(
  visit: Visit,
  toast: Pick<Toast, 'show'>,
  sent: AttemptPermit | null,
  { page, start }: { page: string; start: string },
): TypedResponse<never> {
  if (!sent) return redirect(start);
  toast.show(
    visit,
    sent.isAllowed
      ? 'Another code is on its way. The one before it is no longer good.'
      : `Too many mails were asked for. Wait ${waitText(sent.retryAfterSeconds)}, then try again.`,
  );
  return redirect(page);
}
