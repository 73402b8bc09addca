import { isUniqueViolation } from './errors.server.ts';
import type { Database } from './database.server.ts';

/**
 * Gives the account another address, which was proven to be the person's. Answers the one that it
 * had; null when the new one is taken, or the account is gone.
 */
export async function changeEmail(
  db: Database['client'],
  userId: string,
  email: string,
  now: Date,
): Promise<string | null> {
  const user = await db.user.findUnique({ where: { id: userId }, select: { email: true } });
  if (!user) return null;
  try {
    const { count } = await db.user.updateMany({
      where: { id: userId },
      data: { email, emailVerifiedAt: now, updatedAt: now },
    });
    return count > 0 ? user.email : null;
  } catch (error) {
    if (isUniqueViolation(error, 'email')) return null;
    throw error;
  }
}
