import { redirect, type ActionFunctionArgs } from '@remix-run/node';
import * as z from 'zod';
import { parseForm } from '#app/http/form.server.ts';
import { requireSignedIn } from '#app/http/signed-in.server.ts';
import { beginProviderRequest } from '#app/credentials/providers/provider-requests.server.ts';

const CONNECTIONS_PAGE = '/settings/connections';
const formSchema = z.object({ signOutOthers: z.literal('on').optional() });

export async function loader() {
  return redirect(CONNECTIONS_PAGE);
}

/** Sends somebody to a provider, to connect who they are there to the account that they are in. */
export async function action(args: ActionFunctionArgs) {
  const { context, params, request } = args;
  const signedIn = await requireSignedIn(args);
  const form = await parseForm(request, formSchema);
  const provider = context.providers.find(params.provider);
  if (!provider || !form.ok) return redirect(CONNECTIONS_PAGE);
  const signOutOthers = form.value.signOutOthers === 'on';
  return beginProviderRequest(context, provider, { purpose: 'link', signedIn, signOutOthers });
}
