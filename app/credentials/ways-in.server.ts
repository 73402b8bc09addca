import type { Database } from '#app/db.server.ts';

type Tables = Pick<Database['client'], 'password' | 'passkey' | 'connection'>;
type Transaction = Parameters<Parameters<Database['client']['$transaction']>[0]>[0];

/** How many things this user can sign in with, each by itself: a password, passkeys, connections. */
export async function waysIn(db: Tables, userId: string): Promise<number> {
  const where = { userId };
  return (
    (await db.password.count({ where })) +
    (await db.passkey.count({ where })) +
    (await db.connection.count({ where }))
  );
}

/**
 * Takes away a way in, unless nothing would be left to sign in with. Two who take away the last two
 * at the same time: one of them is refused.
 *
 * @param remove does it, with the client that it is given and no other, and answers how many went.
 * @returns 'none' when there was nothing to remove, 'last' when it stays because it is the last.
 */
export async function removeWayIn(
  db: Database['client'],
  userId: string,
  now: Date,
  remove: (transaction: Transaction) => Promise<number>,
): Promise<'removed' | 'none' | 'last'> {
  try {
    return await db.$transaction(async (transaction) => {
      // Not for the date: the write makes whoever removes another one wait until this is done.
      const { count } = await transaction.user.updateMany({
        where: { id: userId },
        data: { updatedAt: now },
      });
      if (count === 0 || (await remove(transaction)) === 0) return 'none';
      if ((await waysIn(transaction, userId)) === 0) throw new LastWayIn();
      return 'removed';
    });
  } catch (error) {
    if (error instanceof LastWayIn) return 'last';
    throw error;
  }
}

/** Undoes the transaction. */
class LastWayIn extends Error {}
