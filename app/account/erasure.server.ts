import type { Database } from '#app/db.server.ts';

/**
 * Deletes the user; everything that belongs to them goes with the row, by cascade, and with it what
 * was mailed to their address before there was an account. False when the user was gone already.
 */
export async function eraseAccount(
  db: Database['client'],
  { id, email }: { id: string; email: string },
): Promise<boolean> {
  const [, { count }] = await db.$transaction([
    db.mailedCode.deleteMany({ where: { email } }),
    db.user.deleteMany({ where: { id } }),
  ]);
  return count > 0;
}
