import type { PageContext } from '#app/context.server.ts';
import type { AttemptKind, AttemptPermit } from './rate-limits.server.ts';

/** Whose secret is guessed at: the e-mail as it was typed, or the account that it must be. */
type Target = { email: string } | { userId: string };

/**
 * Leave to try a password or a code once from this browser. Ask for it before what was typed is
 * looked at, and give it back when that was right.
 */
export async function takeAttempt(
  context: PageContext,
  kind: AttemptKind,
  target: Target,
): Promise<AttemptPermit> {
  const leave = await context.limits.takeAttempt(kind, {
    account: 'email' in target ? target.email : target.userId,
    ipAddress: context.device.ipAddress,
    trustedSessionId: await trustedSessionId(context, target),
  });
  if (!leave.isAllowed) return leave;
  const { tries } = context.owed;
  const refund = async () => {
    if (tries.delete(refund)) await leave.refund();
  };
  tries.add(refund);
  return { isAllowed: true, refund };
}

/** Leave to have one mail sent to this address, from this browser. */
export async function takeMailAttempt(context: PageContext, email: string): Promise<AttemptPermit> {
  const knownId = await trustedSessionId(context, { email });
  return context.limits.takeMailAttempt({
    email,
    ipAddress: context.device.ipAddress,
    trustedSessionId: knownId,
  });
}

// The cookie's secret was checked; what it proves is that this browser was once signed in as them.
async function trustedSessionId(context: PageContext, target: Target): Promise<string | null> {
  const held = await context.session();
  if (held.state === 'unknown') return null;
  const { id, userId } = held.session;
  if ('userId' in target) return userId === target.userId ? id : null;
  const user =
    held.state === 'live'
      ? held.user
      : await context.db.user.findUnique({ where: { id: userId }, select: { email: true } });
  return user?.email === target.email ? id : null;
}
