import { redirect, type ActionFunctionArgs } from '@remix-run/node';
import { sendCodeAgain } from '#app/credentials/mailed-codes/code-by-mail.server.ts';
import { answerSentAgain } from '#app/credentials/mailed-codes/code-page.server.ts';

/** Following a link sends nothing. */
export function loader() {
  return redirect('/reset-password');
}

export async function action({ request, context }: ActionFunctionArgs) {
  const sent = await sendCodeAgain(context, request, 'password-reset');
  return answerSentAgain(context, sent, { page: '/reset-password', start: '/forgot-password' });
}
