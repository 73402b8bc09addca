import { redirect, type LoaderFunctionArgs } from '@remix-run/node';
import type { PageContext } from '#app/context.server.ts';
import type { Identity, Provider } from '#app/credentials/providers/provider.ts';
import {
  hasReauthenticated,
  providersToConfirmWith,
} from '#app/sign-in/confirm-by-provider.server.ts';
import { finishSecurityChange } from '#app/sign-in/security-change.server.ts';
import { findSignedIn } from '#app/http/signed-in.server.ts';
import { pendingConnectionOf } from '#app/sign-up/pending-connection.server.ts';
import {
  logProviderTrouble,
  problemPath,
} from '#app/credentials/providers/provider-problems.server.ts';
import {
  findProviderRequest,
  useProviderRequest,
  toProviderRequest,
  type PendingProviderRequest,
} from '#app/credentials/providers/provider-requests.server.ts';
import { renewSession, startSession } from '#app/sign-in/sign-in.server.ts';
import { writeToast } from '#app/http/toast.server.ts';

const CONNECTIONS_PAGE = '/settings/connections';

/** Where a provider sends people back to. */
export async function loader({ context, params, request }: LoaderFunctionArgs) {
  const provider = context.providers.find(params.provider);
  if (!provider) return redirect('/login');
  const { search, searchParams } = new URL(request.url);
  const begun = findProviderRequest(context, request, provider);
  // Somebody else's code, or one of another visit: this browser's own visit goes on untouched.
  if (begun?.state !== searchParams.get('state')) return notBegun(context, provider);
  const answer = await finishProviderRequest(context, provider, begun, search);
  answer.headers.append('Set-Cookie', context.cookies.providerVisit.clear());
  return answer;
}

async function notBegun(context: PageContext, provider: Provider) {
  // The login page has no words for somebody who is signed in.
  const purpose = (await findSignedIn({ context })) ? 'link' : 'sign-in';
  return redirect(problemPath({ purpose, redirectTo: '/', provider: provider.id }, 'not-begun'));
}

async function finishProviderRequest(
  context: PageContext,
  provider: Provider,
  begun: PendingProviderRequest,
  search: string,
) {
  if (!(await useProviderRequest(context, begun))) return notBegun(context, provider);
  if (!(await isSameSession(context, begun))) {
    return redirect(problemPath(begun, 'other-session'));
  }
  const identified = await provider.identify(toProviderRequest(context, begun), search);
  if (identified.state !== 'identified') {
    logProviderTrouble(context, provider.id, identified);
    return redirect(problemPath(begun, identified.state));
  }
  const finish = { 'sign-in': signIn, link, confirm }[begun.purpose];
  return finish(context, provider, begun, identified.identity);
}

// What was begun inside an account is finished in the very session that began it.
async function isSameSession(context: PageContext, { purpose, begunBy }: PendingProviderRequest) {
  if (purpose === 'sign-in') return true;
  const signedIn = await findSignedIn({ context });
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

const signIn: Finish = async (context, provider, begun, identity) => {
  const { remember, redirectTo } = begun;
  const connected = { ...identity, provider: provider.id };
  const userId = await context.connections.authenticate(connected, context.now);
  if (userId !== null) {
    const proof = { by: 'provider', second: null, provider: provider.name } as const;
    return startSession(context, { userId, proof, remember, redirectTo });
  }
  const rest = { provider: provider.id, remember, redirectTo };
  const pending = pendingConnectionOf(identity, rest);
  return redirect('/signup/connection', {
    headers: { 'Set-Cookie': context.cookies.pendingConnection.write(pending, context.now) },
  });
};

const link: Finish = async (context, provider, begun, identity) => {
  // Who began it, by `isStillWhoBegan`.
  const signedIn = (await findSignedIn({ context }))!;
  const connected = { ...identity, provider: provider.id };
  const added = await context.connections.add(signedIn.user.id, connected, context.now);
  if (added !== 'added') return redirect(problemPath(begun, added));
  const { headers, count } = await finishSecurityChange(
    context,
    signedIn,
    { kind: 'connection-added', provider: provider.name },
    { signOutOthers: begun.signOutOthers },
  );
  const toast = { kind: 'connection-added', provider: provider.name, count } as const;
  headers.append('Set-Cookie', writeToast(toast, context.origin));
  return redirect(CONNECTIONS_PAGE, { headers });
};

const confirm: Finish = async (context, provider, begun, identity) => {
  const { userId } = begun.begunBy!;
  if ((await context.connections.findUserId(identity)) !== userId) {
    return redirect(problemPath(begun, 'other-person'));
  }
  const offered = await providersToConfirmWith(context, userId);
  const counts = offered.some(({ id }) => id === provider.id);
  if (!counts || !(await hasReauthenticated(context, userId, identity, begun))) {
    return redirect(problemPath(begun, 'not-again'));
  }
  await context.connections.authenticate({ ...identity, provider: provider.id }, context.now);
  const cookie = await renewSession(context, { isProven: true });
  if (cookie === null) return redirect('/login');
  // A form that was kept is sent on from there: this is a link that was followed, and sends none.
  const query = new URLSearchParams({ redirectTo: begun.redirectTo });
  return redirect(`/confirm?${query}`, { headers: { 'Set-Cookie': cookie } });
};
