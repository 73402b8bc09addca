import { redirect, type ActionFunctionArgs } from '@remix-run/node';

/** This URL has no page. */
export function loader() {
  return redirect('/');
}

/** Returns what a browser needs to ask for a passkey: the same for everyone, except for the challenge. */
export async function action({ context: { app, visit } }: ActionFunctionArgs) {
  return app.challenges.answer(visit, 'sign-in', await app.passkeys.signInOptions(), null);
}
