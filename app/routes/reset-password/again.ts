import { redirect, type ActionFunctionArgs } from '@remix-run/node';
import { resendCode } from '#app/credentials/mailed-codes/code-by-mail.server.ts';
import { answerResent } from '#app/credentials/mailed-codes/code-page.server.ts';

/** Following a link sends nothing. */
export function loader() {
  return redirect('/reset-password');
}

export async function action({ request, context }: ActionFunctionArgs) {
  const sent = await resendCode(context, request, 'password-reset');
  return answerResent(context, sent, { page: '/reset-password', start: '/forgot-password' });
}
