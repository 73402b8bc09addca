import type { Passwords } from '#app/credentials/password.server.ts';
import { isUniqueViolation } from '#app/database-errors.server.ts';
import type { Database } from '#app/db.server.ts';

export interface NewAccount {
  email: string;
  name: string;
  password: string;
}

/**
 * Creates a user with a password. Answers the user's id; null when the e-mail is taken. Both cost
 * a password hash.
 */
export async function createAccount(
  { db, passwords }: { db: Database['client']; passwords: Passwords },
  { email, name, password }: NewAccount,
  now: Date,
): Promise<string | null> {
  const hash = await passwords.hash(password);
  try {
    const user = await db.user.create({
      data: { email, name, password: { create: { hash, changedAt: now } } },
      select: { id: true },
    });
    return user.id;
  } catch (error) {
    if (isUniqueViolation(error, 'email')) return null;
    throw error;
  }
}
