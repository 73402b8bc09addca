import { redirect, type LoaderFunctionArgs } from '@remix-run/node';
import type { PageContext } from '#app/context.server.ts';
import {
  logProviderProblem,
  problemPath,
} from '#app/credentials/providers/provider-problems.server.ts';
import type { PendingProviderRequest } from '#app/credentials/providers/provider-requests.server.ts';
import type { Identity, Provider } from '#app/credentials/providers/provider.ts';
import { withOthers } from '#app/http/toast.server.ts';
import { toPendingConnection } from '#app/sign-up/pending-connection.server.ts';
import { findSignedIn } from '#app/visit/visit.ts';

const CONNECTIONS_PAGE = '/settings/connections';

/** The address to which a provider sends users back. */
export async function loader({ context, params, request }: LoaderFunctionArgs) {
  const { app, visit } = context;
  const provider = app.providers.find(params.provider);
  if (!provider) return redirect('/login');
  const { search, searchParams } = new URL(request.url);
  const begun = app.providerRequests.find(visit, provider);
  // The state of another user or another request: leave this browser's own request as it is.
  if (begun?.state !== searchParams.get('state')) return notBegun(context, provider);
  const answer = await finishProviderRequest(context, provider, begun, search);
  app.providerRequests.remove(visit);
  return answer;
}

async function notBegun({ visit }: PageContext, provider: Provider) {
  // The login page shows no message to a user who is signed in.
  const purpose = (await findSignedIn(visit)) ? 'link' : 'sign-in';
  return redirect(problemPath({ purpose, redirectTo: '/', provider: provider.id }, 'not-begun'));
}

async function finishProviderRequest(
  context: PageContext,
  provider: Provider,
  begun: PendingProviderRequest,
  search: string,
) {
  const { providerRequests } = context.app;
  if (!(await providerRequests.use(begun))) return notBegun(context, provider);
  if (!(await isSameSession(context, begun))) {
    return redirect(problemPath(begun, 'other-session'));
  }
  const identified = await provider.identify(providerRequests.toProviderRequest(begun), search);
  if (identified.state !== 'identified') {
    logProviderProblem(context.visit, provider.id, identified);
    return redirect(problemPath(begun, identified.state));
  }
  const finish = { 'sign-in': signIn, link, confirm }[begun.purpose];
  return finish(context, provider, begun, identified.identity);
}

// True if the request was started by the session that finishes it; a sign-in starts without one.
async function isSameSession(
  { visit }: PageContext,
  { purpose, begunBy }: PendingProviderRequest,
): Promise<boolean> {
  if (purpose === 'sign-in') return true;
  const signedIn = await findSignedIn(visit);
  return (
    begunBy !== null &&
    signedIn?.user.id === begunBy.userId &&
    signedIn.session.id === begunBy.sessionId
  );
}

type Finish = (
  context: PageContext,
  provider: Provider,
  begun: PendingProviderRequest,
  identity: Identity,
) => Promise<Response>;

const signIn: Finish = async ({ app, visit }, provider, begun, identity) => {
  const { remember, redirectTo } = begun;
  const connected = { ...identity, provider: provider.id };
  const userId = await app.connections.authenticate(connected, visit.now);
  if (userId !== null) {
    const proof = { by: 'provider', second: null, provider: provider.name } as const;
    return app.signIn.signInBrowser(visit, { userId, proof, remember, redirectTo });
  }
  const rest = { provider: provider.id, remember, redirectTo };
  app.pendingConnections.write(visit, toPendingConnection(identity, rest));
  return redirect('/signup/connection');
};

const link: Finish = async ({ app, visit }, provider, begun, identity) => {
  // `isSameSession` has checked that it is the user who began.
  const signedIn = (await findSignedIn(visit))!;
  const connected = { ...identity, provider: provider.id };
  const added = await app.connections.add(signedIn.user.id, connected, visit.now);
  if (added !== 'added') return redirect(problemPath(begun, added));
  const { name } = provider;
  const event = { kind: 'connection-added', provider: name } as const;
  const { signOutOthers } = begun;
  const count = await app.securityChanges.finish(visit, signedIn, event, { signOutOthers });
  const message = `${name} is connected. You can sign in with it from now on.`;
  app.toast.show(visit, withOthers(message, count));
  return redirect(CONNECTIONS_PAGE);
};

const confirm: Finish = async ({ app, visit }, provider, begun, identity) => {
  const { userId } = begun.begunBy!;
  if ((await app.connections.findUserId(identity)) !== userId) {
    return redirect(problemPath(begun, 'other-person'));
  }
  const offered = await app.confirmIdentity.providers(userId);
  const counts = offered.some(({ id }) => id === provider.id);
  if (!counts || !(await app.confirmIdentity.hasReauthenticated(userId, identity, begun))) {
    return redirect(problemPath(begun, 'not-again'));
  }
  await app.connections.authenticate({ ...identity, provider: provider.id }, visit.now);
  if (!(await app.browserSession.renew(visit, { isProven: true }))) return redirect('/login');
  // That page resubmits a saved form; this request is a GET and cannot.
  const query = new URLSearchParams({ redirectTo: begun.redirectTo });
  return redirect(`/confirm?${query}`);
};
