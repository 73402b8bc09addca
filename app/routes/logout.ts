import { redirect, type ActionFunctionArgs } from '@remix-run/node';

/** Following a link signs no one out. */
export function loader() {
  return redirect('/');
}

export async function action({ context: { app, visit } }: ActionFunctionArgs) {
  await app.browserSession.end(visit);
  app.toast.show(visit, 'You are signed out.');
  return redirect('/');
}
