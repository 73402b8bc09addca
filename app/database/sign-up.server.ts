import { isUniqueViolation } from './errors.server.ts';
import type { Database } from './database.server.ts';

export interface NewAccount {
  email: string;
  name: string;
  /** What `Passwords.hash` made of the password; null: an account without one. */
  passwordHash: string | null;
  /** When the person proved that the address is theirs; null: they did not. */
  emailVerifiedAt: Date | null;
}

/** Creates a user. Answers the user's id; null when the e-mail is taken. */
export async function createAccount(
  db: Database['client'],
  { email, name, passwordHash, emailVerifiedAt }: NewAccount,
  now: Date,
): Promise<string | null> {
  const password =
    passwordHash === null ? {} : { password: { create: { hash: passwordHash, changedAt: now } } };
  try {
    const user = await db.user.create({
      data: { email, name, emailVerifiedAt, createdAt: now, updatedAt: now, ...password },
      select: { id: true },
    });
    return user.id;
  } catch (error) {
    if (isUniqueViolation(error, 'email')) return null;
    throw error;
  }
}

/** True when an account has this address. */
export async function isEmailTaken(db: Database['client'], email: string): Promise<boolean> {
  return (await db.user.count({ where: { email } })) > 0;
}
