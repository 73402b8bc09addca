import { redirect, type ActionFunctionArgs } from '@remix-run/node';
import { answerPasskeyOptions } from '#app/credentials/passkeys/passkey-challenges.server.ts';

/** Nothing to see here for those who follow a link. */
export function loader() {
  return redirect('/');
}

/** What a browser needs to ask for a passkey: the same for everybody, but for the challenge. */
export async function action({ context }: ActionFunctionArgs) {
  return answerPasskeyOptions(context, 'sign-in', await context.passkeys.signInOptions(), null);
}
