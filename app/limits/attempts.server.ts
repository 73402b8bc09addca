import type { Users } from '#app/database/users.server.ts';
import type { Visit } from '#app/visit/visit.ts';
import type { AttemptKind, AttemptPermit, RateLimits } from './rate-limits.server.ts';

/** The account whose secret is guessed: the e-mail as it was typed, or the id of the user. */
type Target = { email: string } | { userId: string };

interface AttemptsOptions {
  limits: Pick<RateLimits, 'takeAttempt' | 'takeMailAttempt'>;
  users: Pick<Users, 'find'>;
}

export type Attempts = ReturnType<typeof createAttempts>;

/** Counts the attempts of a visit against the rate limits. */
export function createAttempts({ limits, users }: AttemptsOptions) {
  /**
   * The id of the visit's session, live or ended, if it belongs to the target: its secret was checked,
   * so this browser was signed in as this user before.
   */
  const trustedSessionId = async (visit: Visit, target: Target): Promise<string | null> => {
    const held = await visit.session();
    if (held.state === 'unknown') return null;
    const { id, userId } = held.session;
    if ('userId' in target) return userId === target.userId ? id : null;
    const user = held.state === 'live' ? held.user : await users.find(userId);
    return user?.email === target.email ? id : null;
  };

  return {
    /**
     * Counts one attempt. Call it before checking the password or code, and `refund()` it if that was
     * correct.
     */
    async take(visit: Visit, kind: AttemptKind, target: Target): Promise<AttemptPermit> {
      const permit = await limits.takeAttempt(kind, {
        account: 'email' in target ? target.email : target.userId,
        ipAddress: visit.device.ipAddress,
        trustedSessionId: await trustedSessionId(visit, target),
      });
      if (!permit.isAllowed) return permit;
      const { openAttempts } = visit;
      const refund = async () => {
        if (openAttempts.delete(refund)) await permit.refund();
      };
      openAttempts.add(refund);
      return { isAllowed: true, refund };
    },

    /** Counts one mail to this address. */
    takeMail: async (visit: Visit, email: string): Promise<AttemptPermit> =>
      limits.takeMailAttempt({
        email,
        ipAddress: visit.device.ipAddress,
        trustedSessionId: await trustedSessionId(visit, { email }),
      }),
  };
}
