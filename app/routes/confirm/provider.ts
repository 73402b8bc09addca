import { redirect, type ActionFunctionArgs } from '@remix-run/node';
import * as z from 'zod';
import { providersToConfirmWith } from '#app/sign-in/confirm-by-provider.server.ts';
import { parseForm } from '#app/http/form.server.ts';
import { requireSignedIn } from '#app/http/signed-in.server.ts';
import { beginProviderRequest } from '#app/credentials/providers/provider-requests.server.ts';

const formSchema = z.object({ redirectTo: z.string().optional() });

export async function loader() {
  return redirect('/confirm');
}

/** Sends somebody who is signed in to a provider, to prove there that it is still them. */
export async function action(args: ActionFunctionArgs) {
  const { context, params, request } = args;
  const signedIn = await requireSignedIn(args);
  const form = await parseForm(request, formSchema);
  const redirectTo = form.ok ? form.value.redirectTo : undefined;
  const offered = await providersToConfirmWith(context, signedIn.user.id);
  const provider = context.providers.find(params.provider);
  if (!provider || !offered.some(({ id }) => id === provider.id)) return redirect('/confirm');
  return beginProviderRequest(context, provider, { purpose: 'confirm', signedIn, redirectTo });
}
