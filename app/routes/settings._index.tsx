import { redirect, type LoaderFunctionArgs } from '@remix-run/node';
import { requireSession } from '#app/http/signed-in.server.ts';

export async function loader(args: LoaderFunctionArgs) {
  await requireSession(args);
  return redirect('/settings/sessions');
}
