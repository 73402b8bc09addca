import { redirect, type ActionFunctionArgs } from '@remix-run/node';
import { resendCode } from '#app/credentials/mailed-codes/code-by-mail.server.ts';
import { answerResent } from '#app/credentials/mailed-codes/code-page.server.ts';

/** Following a link sends nothing. */
export function loader() {
  return redirect('/signup/verify');
}

export async function action({ request, context }: ActionFunctionArgs) {
  const sent = await resendCode(context, request, 'sign-up');
  return answerResent(context, sent, { page: '/signup/verify', start: '/signup' });
}
