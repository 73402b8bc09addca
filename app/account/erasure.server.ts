import type { Database } from '#app/db.server.ts';

/**
 * Deletes the user; everything that belongs to them goes with the row, by cascade, in the same
 * statement. False when the user was gone already.
 */
export async function eraseAccount(db: Database['client'], userId: string): Promise<boolean> {
  const { count } = await db.user.deleteMany({ where: { id: userId } });
  return count > 0;
}
