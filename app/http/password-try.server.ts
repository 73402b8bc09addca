import type { LatchkeyContext } from '#app/context.server.ts';
import type { Leave } from './rate-limits.server.ts';

/** Leave to try a password for this e-mail from this browser. Ask for it before the password is looked at. */
export async function takePasswordTry(context: LatchkeyContext, email: string): Promise<Leave> {
  const leave = await context.limits.takePasswordTry({
    email,
    ipAddress: context.device.ipAddress,
    knownSessionId: await knownSessionId(context, email),
  });
  if (!leave.isGiven) return leave;
  const { tries } = context.owed;
  const giveBack = async () => {
    if (tries.delete(giveBack)) await leave.giveBack();
  };
  tries.add(giveBack);
  return { isGiven: true, giveBack };
}

// The cookie's secret was checked; what it proves is that this browser was once signed in as them.
async function knownSessionId(context: LatchkeyContext, email: string): Promise<string | null> {
  const held = await context.session();
  if (held.state === 'unknown') return null;
  const person =
    held.state === 'live'
      ? held.person
      : await context.db.user.findUnique({
          where: { id: held.session.userId },
          select: { email: true },
        });
  return person?.email === email ? held.session.id : null;
}
