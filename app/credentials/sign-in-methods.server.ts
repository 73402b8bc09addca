import type { Database } from '#app/database/database.server.ts';

type Tables = Pick<Database['client'], 'password' | 'passkey' | 'connection'>;
type Transaction = Parameters<Parameters<Database['client']['$transaction']>[0]>[0];

/** What a person can sign in with, each by itself. */
export interface SignInMethods {
  password: boolean;
  passkeys: number;
  connections: number;
}

/** The ways in to an account: the last one is never taken away. Works inside a transaction too. */
export async function countSignInMethods(db: Tables, userId: string): Promise<SignInMethods> {
  const where = { userId };
  const password = (await db.password.count({ where })) > 0;
  const passkeys = await db.passkey.count({ where });
  const connections = await db.connection.count({ where });
  return { password, passkeys, connections };
}

/** How many they are. */
export function totalSignInMethods({ password, passkeys, connections }: SignInMethods): number {
  return Number(password) + passkeys + connections;
}

/**
 * Takes away a way in, unless nothing would be left to sign in with. Two who take away the last two
 * at the same time: one of them is refused.
 *
 * @param remove does it, with the client that it is given and no other, and answers how many went.
 * @returns 'unknown' when there was nothing to remove, 'last-way-in' when it stays because it is.
 */
export async function removeSignInMethod(
  db: Database['client'],
  userId: string,
  now: Date,
  remove: (transaction: Transaction) => Promise<number>,
): Promise<'removed' | 'unknown' | 'last-way-in'> {
  try {
    return await db.$transaction(async (transaction) => {
      // Not for the date: the write makes whoever removes another one wait until this is done.
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

/** Undoes the transaction. */
class LastSignInMethodError extends Error {}
