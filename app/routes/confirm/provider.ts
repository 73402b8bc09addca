import { redirect, type ActionFunctionArgs } from '@remix-run/node';
import * as z from 'zod';
import { parseForm } from '#app/http/form.server.ts';
import { requireSignedIn } from '#app/visit/visit.ts';

const formSchema = z.object({ redirectTo: z.string().optional() });

export async function loader() {
  return redirect('/confirm');
}

/** Sends a signed-in user to a provider for a fresh proof. */
export async function action({ context: { app, visit }, params, request }: ActionFunctionArgs) {
  const signedIn = await requireSignedIn(visit);
  const form = await parseForm(request, formSchema);
  const redirectTo = form.ok ? form.value.redirectTo : undefined;
  const offered = await app.confirmIdentity.providers(signedIn.user.id);
  const provider = app.providers.find(params.provider);
  if (!provider || !offered.some(({ id }) => id === provider.id)) return redirect('/confirm');
  return app.providerRequests.begin(visit, provider, { purpose: 'confirm', signedIn, redirectTo });
}
