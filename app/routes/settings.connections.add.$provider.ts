import { redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import { requireFresh } from '#app/http/fresh.server.ts';
import { requireSession } from '#app/http/guards.server.ts';
import { beginProviderVisit } from '#app/http/provider-visit.server.ts';

const CONNECTIONS_PAGE = '/settings/connections';

export async function loader(args: LoaderFunctionArgs) {
  await requireSession(args);
  return redirect(CONNECTIONS_PAGE);
}

/** Sends somebody to a provider, to connect who they are there to the account that they are in. */
export async function action(args: ActionFunctionArgs) {
  const { context, params } = args;
  const signedIn = await requireFresh(args);
  const provider = context.providers.find(params.provider);
  if (!provider) return redirect(CONNECTIONS_PAGE);
  return beginProviderVisit(context, provider, { purpose: 'link', signedIn });
}
