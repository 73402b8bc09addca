import { redirect, type ActionFunctionArgs } from '@remix-run/node';
import { answerResent } from '#app/credentials/mailed-codes/code-page.server.ts';

/** Redirects a browser that follows a link here: only a form sends another code. */
export async function loader() {
  return redirect('/settings/email/verify');
}

export async function action({ context: { app, visit } }: ActionFunctionArgs) {
  const sent = await app.codeByMail.resend(visit, 'email-change');
  return answerResent(visit, app.toast, sent, {
    page: '/settings/email/verify',
    start: '/settings/email',
  });
}
