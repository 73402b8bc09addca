import type { LatchkeyContext } from '#app/context.server.ts';
import type { Guessable, Leave } from './rate-limits.server.ts';

/** Whose secret is guessed at: the e-mail as it was typed, or the account that it must be. */
type Target = { email: string } | { userId: string };

/**
 * Leave to try a password or a code once from this browser. Ask for it before what was typed is
 * looked at, and give it back when that was right.
 */
export async function takeTry(
  context: LatchkeyContext,
  kind: Guessable,
  target: Target,
): Promise<Leave> {
  const leave = await context.limits.takeTry(kind, {
    account: 'email' in target ? target.email : target.userId,
    ipAddress: context.device.ipAddress,
    knownSessionId: await knownSessionId(context, target),
  });
  if (!leave.isGiven) return leave;
  const { tries } = context.owed;
  const giveBack = async () => {
    if (tries.delete(giveBack)) await leave.giveBack();
  };
  tries.add(giveBack);
  return { isGiven: true, giveBack };
}

/** Leave to have one mail sent to this address, from this browser. */
export async function takeMail(context: LatchkeyContext, email: string): Promise<Leave> {
  const knownId = await knownSessionId(context, { email });
  return context.limits.takeMail({
    email,
    ipAddress: context.device.ipAddress,
    knownSessionId: knownId,
  });
}

// The cookie's secret was checked; what it proves is that this browser was once signed in as them.
async function knownSessionId(context: LatchkeyContext, target: Target): Promise<string | null> {
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
