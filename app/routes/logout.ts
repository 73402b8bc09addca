import { redirect, type ActionFunctionArgs } from '@remix-run/node';
import { endSession } from '#app/sign-in/sign-in.server.ts';
import { writeToast } from '#app/http/toast.server.ts';

/** Nobody is signed out by following a link. */
export function loader() {
  return redirect('/');
}

export async function action({ context }: ActionFunctionArgs) {
  const headers = await endSession(context);
  headers.append('Set-Cookie', writeToast({ kind: 'signed-out' }, context.origin));
  return redirect('/', { headers });
}
