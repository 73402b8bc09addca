import { redirect, type ActionFunctionArgs } from '@remix-run/node';
import { requireSignedIn } from '#app/http/signed-in.server.ts';
import { answerPasskeyOptions } from '#app/credentials/passkeys/passkey-challenges.server.ts';

/** Nothing to see here for those who follow a link. */
export async function loader() {
  return redirect('/');
}

/** What a browser needs to ask for one of this person's passkeys, to prove that it is still them. */
export async function action(args: ActionFunctionArgs) {
  const { context } = args;
  const { user, session } = await requireSignedIn(args);
  const options = await context.passkeys.confirmOptions(user.id);
  return answerPasskeyOptions(context, 'confirm', options, session.id);
}
