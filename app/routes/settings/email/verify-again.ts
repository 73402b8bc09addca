import { redirect, type ActionFunctionArgs } from '@remix-run/node';
import { resendCode } from '#app/credentials/mailed-codes/code-by-mail.server.ts';
import { answerResent } from '#app/credentials/mailed-codes/code-page.server.ts';

/** Following a link sends nothing. */
export async function loader() {
  return redirect('/settings/email/verify');
}

export async function action({ context, request }: ActionFunctionArgs) {
  const sent = await resendCode(context, request, 'email-change');
  return answerResent(context, sent, {
    page: '/settings/email/verify',
    start: '/settings/email',
  });
}
