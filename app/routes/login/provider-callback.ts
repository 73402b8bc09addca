import { redirect, type LoaderFunctionArgs } from '@remix-run/node';
import type { LatchkeyContext } from '#app/context.server.ts';
import type { Identity, Provider } from '#app/credentials/providers/provider.ts';
import { hasProvenAgain, providersToConfirmWith } from '#app/sign-in/confirm-by-provider.server.ts';
import { afterFactorChange } from '#app/sign-in/security-change.server.ts';
import { findSession } from '#app/http/signed-in.server.ts';
import { pendingConnectionOf } from '#app/sign-up/pending-connection.server.ts';
import {
  logProviderTrouble,
  troublePath,
} from '#app/credentials/providers/provider-problems.server.ts';
import {
  findProviderVisit,
  spendProviderVisit,
  visitOf,
  type ProviderVisit,
} from '#app/credentials/providers/provider-requests.server.ts';
import { renewSession, startSession } from '#app/sign-in/sign-in.server.ts';
import { writeToast } from '#app/http/toast.server.ts';

const CONNECTIONS_PAGE = '/settings/connections';

/** Where a provider sends people back to. */
export async function loader({ context, params, request }: LoaderFunctionArgs) {
  const provider = context.providers.find(params.provider);
  if (!provider) return redirect('/login');
  const { search, searchParams } = new URL(request.url);
  const begun = findProviderVisit(context, request, provider);
  // Somebody else's code, or one of another visit: this browser's own visit goes on untouched.
  if (begun?.state !== searchParams.get('state')) return notBegun(context, provider);
  const answer = await comeBack(context, provider, begun, search);
  answer.headers.append('Set-Cookie', context.cookies.providerVisit.clear());
  return answer;
}

async function notBegun(context: LatchkeyContext, provider: Provider) {
  // The login page has no words for somebody who is signed in.
  const purpose = (await findSession({ context })) ? 'link' : 'sign-in';
  return redirect(troublePath({ purpose, redirectTo: '/', provider: provider.id }, 'not-begun'));
}

async function comeBack(
  context: LatchkeyContext,
  provider: Provider,
  begun: ProviderVisit,
  search: string,
) {
  if (!(await spendProviderVisit(context, begun))) return notBegun(context, provider);
  if (!(await isStillWhoBegan(context, begun))) {
    return redirect(troublePath(begun, 'other-session'));
  }
  const identified = await provider.identify(visitOf(context, begun), search);
  if (identified.state !== 'identified') {
    logProviderTrouble(context, provider.id, identified);
    return redirect(troublePath(begun, identified.state));
  }
  const finish = { 'sign-in': signIn, link, confirm }[begun.purpose];
  return finish(context, provider, begun, identified.identity);
}

// What was begun inside an account is finished in the very session that began it.
async function isStillWhoBegan(context: LatchkeyContext, { purpose, begunBy }: ProviderVisit) {
  if (purpose === 'sign-in') return true;
  const signedIn = await findSession({ context });
  return (
    begunBy !== null &&
    signedIn?.user.id === begunBy.userId &&
    signedIn.session.id === begunBy.sessionId
  );
}

type Finish = (
  context: LatchkeyContext,
  provider: Provider,
  begun: ProviderVisit,
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
  const signedIn = (await findSession({ context }))!;
  const connected = { ...identity, provider: provider.id };
  const added = await context.connections.add(signedIn.user.id, connected, context.now);
  if (added !== 'added') return redirect(troublePath(begun, added));
  const { headers, count } = await afterFactorChange(
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
  if ((await context.connections.ownerOf(identity)) !== userId) {
    return redirect(troublePath(begun, 'other-person'));
  }
  const offered = await providersToConfirmWith(context, userId);
  const counts = offered.some(({ id }) => id === provider.id);
  if (!counts || !(await hasProvenAgain(context, userId, identity, begun))) {
    return redirect(troublePath(begun, 'not-again'));
  }
  await context.connections.authenticate({ ...identity, provider: provider.id }, context.now);
  const cookie = await renewSession(context, { isProven: true });
  if (cookie === null) return redirect('/login');
  // A form that was kept is sent on from there: this is a link that was followed, and sends none.
  const query = new URLSearchParams({ redirectTo: begun.redirectTo });
  return redirect(`/confirm?${query}`, { headers: { 'Set-Cookie': cookie } });
};
