import { redirect, type ActionFunctionArgs } from '@remix-run/node';

/** A GET does not sign out: links and prefetches must not end a session. */
export function loader() {
  return redirect('/');
}

export async function action({ context: { app, visit } }: ActionFunctionArgs) {
  await app.browserSession.end(visit);
  app.toast.show(visit, 'You are signed out.');
  return redirect('/');
}
