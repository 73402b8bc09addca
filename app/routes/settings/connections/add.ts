import { redirect, type ActionFunctionArgs } from '@remix-run/node';
import * as z from 'zod';
import { parseForm } from '#app/http/form.server.ts';
import { requireSignedIn } from '#app/visit/visit.ts';

const CONNECTIONS_PAGE = '/settings/connections';
const formSchema = z.object({ signOutOthers: z.literal('on').optional() });

export async function loader() {
  return redirect(CONNECTIONS_PAGE);
}

/** Redirects the user to a provider, to connect their account there to this one. */
export async function action({ params, request, context: { app, visit } }: ActionFunctionArgs) {
  const signedIn = await requireSignedIn(visit);
  const form = await parseForm(request, formSchema);
  const provider = app.providers.find(params.provider);
  if (!provider || !form.ok) return redirect(CONNECTIONS_PAGE);
  const signOutOthers = form.value.signOutOthers === 'on';
  return app.providerRequests.begin(visit, provider, { purpose: 'link', signedIn, signOutOthers });
}
