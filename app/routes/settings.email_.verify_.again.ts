import { redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import { sendCodeAgain } from '#app/credentials/mailed-codes/code-by-mail.server.ts';
import { requireSession } from '#app/http/signed-in.server.ts';
import { answerSentAgain } from '#app/credentials/mailed-codes/code-page.server.ts';

/** Following a link sends nothing. */
export async function loader(args: LoaderFunctionArgs) {
  await requireSession(args);
  return redirect('/settings/email/verify');
}

export async function action(args: ActionFunctionArgs) {
  const { context, request } = args;
  await requireSession(args);
  const sent = await sendCodeAgain(context, request, 'email-change');
  return answerSentAgain(context, sent, {
    page: '/settings/email/verify',
    start: '/settings/email',
  });
}
