import { createHash } from 'node:crypto';
import { isUniqueViolation } from '#app/database-errors.server.ts';
import type { Database } from '#app/db.server.ts';

/** What may work once: challenges, states, and sealed cookies that finish something. */
export interface Spent {
  /**
   * True for the first who brings it, false for everybody after, also when many bring it at once.
   *
   * @param thing anything unguessable; only its SHA-256 is kept.
   * @param expiresAt when it is refused for its age anyway, and need not be remembered any longer.
   */
  spend(thing: string, expiresAt: Date): Promise<boolean>;
  /** Forgets what is too old to be brought again. Answers how many. */
  prune(now: Date): Promise<number>;
}

export function createSpent(db: Database['client']): Spent {
  return {
    async spend(thing, expiresAt) {
      const digest = createHash('sha256').update(thing).digest('base64url');
      try {
        await db.spent.create({ data: { digest, expiresAt }, select: { digest: true } });
        return true;
      } catch (error) {
        // PostgreSQL does not name the field of a primary key.
        if (isUniqueViolation(error, 'digest') || isUniqueViolation(error, 'id')) return false;
        throw error;
      }
    },
    async prune(now) {
      const { count } = await db.spent.deleteMany({ where: { expiresAt: { lt: now } } });
      return count;
    },
  };
}
