import { redirect, type ActionFunctionArgs } from '@remix-run/node';
import { requireSignedIn } from '#app/visit/visit.ts';

/** Redirects a browser that follows a link here: only scripts ask for options. */
export async function loader() {
  return redirect('/settings/passkeys');
}

/** Returns what a browser needs to create a passkey that this user does not have yet. */
export async function action({ context: { app, visit } }: ActionFunctionArgs) {
  const { user, session } = await requireSignedIn(visit);
  const options = await app.passkeys.registrationOptions(user);
  return app.challenges.answer(visit, 'registration', options, session.id);
}
