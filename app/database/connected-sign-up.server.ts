import type {
  Connections,
  ConnectedIdentity,
} from '#app/credentials/providers/connections.server.ts';
import { isUniqueViolation } from './errors.server.ts';
import type { Database } from './database.server.ts';

export interface NewConnectedAccount {
  name: string;
  /** Proven to be the person's. */
  email: string;
  identity: ConnectedIdentity;
}

export type ConnectedAccount =
  { state: 'created'; userId: string } | { state: 'email-taken' } | { state: 'already-connected' };

/**
 * Creates a user without a password, who signs in with a provider. Whoever calls it has made sure
 * that mail to the address reaches them.
 */
export async function createConnectedAccount(
  { db, connections }: { db: Database['client']; connections: Connections },
  { name, email, identity }: NewConnectedAccount,
  now: Date,
): Promise<ConnectedAccount> {
  try {
    const user = await db.user.create({
      data: {
        name,
        email,
        emailVerifiedAt: now,
        createdAt: now,
        updatedAt: now,
        connections: { create: connections.toConnectionColumns(identity, now) },
      },
      select: { id: true },
    });
    return { state: 'created', userId: user.id };
  } catch (error) {
    if (isUniqueViolation(error, 'email')) return { state: 'email-taken' };
    if (isUniqueViolation(error, 'subject')) return { state: 'already-connected' };
    throw error;
  }
}
