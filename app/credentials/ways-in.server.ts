import type { Database } from '#app/db.server.ts';

/** What a person can sign in with. */
export interface WaysIn {
  password: boolean;
  passkeys: number;
  connections: number;
}

/** Counts the ways in to an account: the last one is never taken away. Works inside a transaction too. */
export async function waysIn(
  db: Pick<Database['client'], 'password' | 'passkey' | 'connection'>,
  userId: string,
): Promise<WaysIn> {
  const where = { userId };
  const password = (await db.password.count({ where })) > 0;
  const passkeys = await db.passkey.count({ where });
  const connections = await db.connection.count({ where });
  return { password, passkeys, connections };
}
