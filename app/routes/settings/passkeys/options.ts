import { redirect, type ActionFunctionArgs } from '@remix-run/node';
import { requireSignedIn } from '#app/http/signed-in.server.ts';
import { answerPasskeyOptions } from '#app/credentials/passkeys/passkey-challenges.server.ts';

/** Nothing to see here for those who follow a link. */
export async function loader() {
  return redirect('/settings/passkeys');
}

/** What a browser needs to make a passkey for this person: one that they do not have yet. */
export async function action(args: ActionFunctionArgs) {
  const { context } = args;
  const { user, session } = await requireSignedIn(args);
  const options = await context.passkeys.registrationOptions(user);
  return answerPasskeyOptions(context, 'registration', options, session.id);
}
