import { createHash } from 'node:crypto';
import { isUniqueViolation } from './errors.server.ts';
import type { Database } from './database.server.ts';

/** Stops replays of values that work only once: challenges, states, and sealed one-time cookies. */
export interface ReplayGuard {
  /**
   * Marks a value as used. True for the first call with this value, false for every other call, also
   * if they run concurrently.
   *
   * @param value any unguessable text; only its SHA-256 is stored.
   * @param expiresAt when the value has expired anyway, so that its digest can be removed.
   */
  claim(value: string, expiresAt: Date): Promise<boolean>;
  /**
   * Locks a value. True for the first caller, false for every other caller until it is unlocked or
   * `until` has passed: a process may end before it can unlock.
   */
  lock(value: string, until: Date, now: Date): Promise<boolean>;
  /** Unlocks a value that was locked until this time. Does nothing if another caller locked it since. */
  unlock(value: string, until: Date): Promise<void>;
  /** Removes expired values, and returns how many. */
  prune(now: Date): Promise<number>;
}

export function createReplayGuard(db: Database['client']): ReplayGuard {
  const claim: ReplayGuard['claim'] = async (value, expiresAt) => {
    try {
      const data = { digest: digestOf(value), expiresAt };
      await db.spent.create({ data, select: { digest: true } });
      return true;
    } catch (error) {
      // PostgreSQL does not report the field of a primary key; see `isUniqueViolation`.
      if (isUniqueViolation(error, 'digest') || isUniqueViolation(error, 'id')) return false;
      throw error;
    }
  };
  return {
    claim,
    async lock(value, until, now) {
      const expired = { digest: digestOf(value), expiresAt: { lte: now } };
      const { count } = await db.spent.updateMany({ where: expired, data: { expiresAt: until } });
      return count > 0 || claim(value, until);
    },
    async unlock(value, until) {
      await db.spent.deleteMany({ where: { digest: digestOf(value), expiresAt: until } });
    },
    async prune(now) {
      const { count } = await db.spent.deleteMany({ where: { expiresAt: { lt: now } } });
      return count;
    },
  };
}

function digestOf(value: string): string {
  return createHash('sha256').update(value).digest('base64url');
}
