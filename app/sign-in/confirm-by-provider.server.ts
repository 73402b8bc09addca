import type { PageContext } from '#app/context.server.ts';
import type { Identity } from '#app/credentials/providers/provider.ts';
import type { PendingProviderRequest } from '#app/credentials/providers/provider-requests.server.ts';

/** Clocks of two machines differ a little. */
const CLOCK_TOLERANCE_MS = 30_000;

interface NamedProvider {
  id: string;
  name: string;
}

/**
 * The providers with which this person may prove that it is still them, to be offered by the page
 * that asks for it. Whoever has a second factor is asked for that one, and not sent to a provider. A
 * provider that cannot be told to ask again (GitHub) proves no more than that its own session is
 * still open in this browser: it is offered only to somebody who has nothing else at all, whom the
 * application could otherwise never ask.
 */
export async function providersToConfirmWith(
  context: PageContext,
  userId: string,
): Promise<NamedProvider[]> {
  const { providers, connections, totp } = context;
  if (await totp.isOn(userId)) return [];
  const connected = new Set((await connections.list(userId)).map(({ provider }) => provider));
  const usable = providers.list().filter(({ id }) => connected.has(id));
  const asksAgain = usable.filter(({ id }) => providers.find(id)?.canAskAgain);
  if (asksAgain.length > 0) return asksAgain;
  return (await hasOnlyConnections(context, userId)) ? usable : [];
}

/**
 * True when the provider asked the person again after they had left for it. One that does not say
 * when it asked them (it must, by OpenID Connect Core §3.1.2.1, and some do not) is believed only
 * where the person has no other way.
 */
export async function hasReauthenticated(
  context: PageContext,
  userId: string,
  { authenticatedAt }: Identity,
  { begunAt }: PendingProviderRequest,
): Promise<boolean> {
  if (authenticatedAt === null) return hasOnlyConnections(context, userId);
  return authenticatedAt.getTime() >= begunAt - CLOCK_TOLERANCE_MS;
}

async function hasOnlyConnections({ connections }: PageContext, userId: string): Promise<boolean> {
  const { password, passkeys } = await connections.countSignInMethods(userId);
  return !password && passkeys === 0;
}
