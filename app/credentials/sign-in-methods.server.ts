import type { Database } from '#app/database/database.server.ts';

type Tables = Pick<Database['client'], 'password' | 'passkey' | 'connection'>;
type Transaction = Parameters<Parameters<Database['client']['$transaction']>[0]>[0];

/** What a form says that would remove the user's last sign-in method. */
export const STAYS_AS_LAST_METHOD = 'It stays: you have no other way to sign in.';

/** The methods by which a user can sign in. Each is enough alone. */
export interface SignInMethods {
  password: boolean;
  passkeys: number;
  connections: number;
}

/** Returns the sign-in methods of an account. Works inside a transaction too. */
export async function countSignInMethods(db: Tables, userId: string): Promise<SignInMethods> {
  const where = { userId };
  const password = (await db.password.count({ where })) > 0;
  const passkeys = await db.passkey.count({ where });
  const connections = await db.connection.count({ where });
  return { password, passkeys, connections };
}

/** Returns how many methods there are in total. */
export function totalSignInMethods({ password, passkeys, connections }: SignInMethods): number {
  return Number(password) + passkeys + connections;
}

/**
 * Removes a sign-in method, unless it is the last one of the user. If two requests remove the last two
 * at the same time, one of them is refused.
 *
 * @param remove deletes it, only with the client that it is given, and returns how many rows it deleted.
 * @returns 'unknown' if there was nothing to remove, 'last-way-in' if it was kept as the last one.
 */
export async function removeSignInMethod(
  db: Database['client'],
  userId: string,
  now: Date,
  remove: (transaction: Transaction) => Promise<number>,
): Promise<'removed' | 'unknown' | 'last-way-in'> {
  try {
    return await db.$transaction(async (transaction) => {
      // Locks the user's row: a concurrent removal waits until this one is done.
      const { count } = await transaction.user.updateMany({
        where: { id: userId },
        data: { updatedAt: now },
      });
      if (count === 0 || (await remove(transaction)) === 0) return 'unknown';
      if (totalSignInMethods(await countSignInMethods(transaction, userId)) === 0)
        throw new LastSignInMethodError();
      return 'removed';
    });
  } catch (error) {
    if (error instanceof LastSignInMethodError) return 'last-way-in';
    throw error;
  }
}

/** Rolls the transaction back. */
class LastSignInMethodError extends Error {}
