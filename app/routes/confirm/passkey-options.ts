import { redirect, type ActionFunctionArgs } from '@remix-run/node';
import { requireSignedIn } from '#app/visit/visit.ts';

/** This URL has no page. */
export async function loader() {
  return redirect('/');
}

/** Returns what a browser needs to ask for one of this user's passkeys. */
export async function action({ context: { app, visit } }: ActionFunctionArgs) {
  const { user, session } = await requireSignedIn(visit);
  const options = await app.passkeys.confirmOptions(user.id);
  return app.challenges.answer(visit, 'confirm', options, session.id);
}
