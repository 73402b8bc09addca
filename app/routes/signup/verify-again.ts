import { redirect, type ActionFunctionArgs } from '@remix-run/node';
import { answerResent } from '#app/credentials/mailed-codes/code-page.server.ts';

/** A GET sends no mail. */
export function loader() {
  return redirect('/signup/verify');
}

export async function action({ context: { app, visit } }: ActionFunctionArgs) {
  const sent = await app.codeByMail.resend(visit, 'sign-up');
  return answerResent(visit, app.toast, sent, { page: '/signup/verify', start: '/signup' });
}
