import { createHash } from 'node:crypto';
import { isUniqueViolation } from './errors.server.ts';
import type { Database } from './database.server.ts';

/** What may work once: challenges, states, and sealed cookies that finish something. */
export interface ReplayGuard {
  /**
   * True for the first who brings it, false for everybody after, also when many bring it at once.
   *
   * @param thing anything unguessable; only its SHA-256 is kept.
   * @param expiresAt when it is refused for its age anyway, and need not be remembered any longer.
   */
  claim(thing: string, expiresAt: Date): Promise<boolean>;
  /**
   * True for the first who takes hold of it, false for everybody else until it is let go or `until`
   * has passed: whoever holds it may not live to let go.
   */
  lock(thing: string, until: Date, now: Date): Promise<boolean>;
  /** Lets go of what was taken hold of until then; nothing happens when somebody else has it by now. */
  unlock(thing: string, until: Date): Promise<void>;
  /** Forgets what is too old to be brought again. Answers how many. */
  prune(now: Date): Promise<number>;
}

export function createReplayGuard(db: Database['client']): ReplayGuard {
  const claim: ReplayGuard['claim'] = async (thing, expiresAt) => {
    try {
      const data = { digest: digestOf(thing), expiresAt };
      await db.spent.create({ data, select: { digest: true } });
      return true;
    } catch (error) {
      // PostgreSQL does not name the field of a primary key.
      if (isUniqueViolation(error, 'digest') || isUniqueViolation(error, 'id')) return false;
      throw error;
    }
  };
  return {
    claim,
    async lock(thing, until, now) {
      const isOver = { digest: digestOf(thing), expiresAt: { lte: now } };
      const { count } = await db.spent.updateMany({ where: isOver, data: { expiresAt: until } });
      return count > 0 || claim(thing, until);
    },
    async unlock(thing, until) {
      await db.spent.deleteMany({ where: { digest: digestOf(thing), expiresAt: until } });
    },
    async prune(now) {
      const { count } = await db.spent.deleteMany({ where: { expiresAt: { lt: now } } });
      return count;
    },
  };
}

function digestOf(thing: string): string {
  return createHash('sha256').update(thing).digest('base64url');
}
