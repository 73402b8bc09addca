import { redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import { requireFresh } from '#app/http/fresh-proof.server.ts';
import { requireSession } from '#app/http/signed-in.server.ts';
import { offerPasskeyOptions } from '#app/credentials/passkeys/passkey-challenges.server.ts';

/** Nothing to see here for those who follow a link. */
export async function loader(args: LoaderFunctionArgs) {
  await requireSession(args);
  return redirect('/settings/passkeys');
}

/** What a browser needs to make a passkey for this person: one that they do not have yet. */
export async function action(args: ActionFunctionArgs) {
  const { context } = args;
  const { person, session } = await requireFresh(args);
  const options = await context.passkeys.registrationOptions(person);
  return offerPasskeyOptions(context, 'registration', options, session.id);
}
