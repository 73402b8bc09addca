import { isUniqueViolation } from '#app/database/errors.server.ts';
import type { Database } from '#app/database/database.server.ts';
import type { Identity } from './provider.ts';
import {
  removeSignInMethod,
  countSignInMethods,
  type SignInMethods,
} from '../sign-in-methods.server.ts';

/** What is stored of an identity. The provider's tokens are not, because nothing uses them. */
type ConnectedIdentity = Pick<Identity, 'issuer' | 'subject' | 'displayName'> & {
  /** Id of the provider. */
  provider: string;
};

/** A connection as its user sees it. */
interface ListedConnection {
  id: string;
  provider: string;
  displayName: string;
  createdAt: Date;
  lastUsedAt: Date | null;
}

/**
 * Identities at providers as a credential. An identity is (issuer, subject), never an e-mail: the e-mail
 * of an account at a provider can change, and later belong to another user.
 */
export interface Connections {
  /** Returns the id of the user that the identity is connected to; `null` if there is none. Only reads. */
  findUserId(identity: Pick<Identity, 'issuer' | 'subject'>): Promise<string | null>;
  /** Returns the same as `findUserId`, and records the use and the current display name. */
  authenticate(identity: ConnectedIdentity, now: Date): Promise<string | null>;
  /** Connects the identity to the account, unless it is connected to this or another account already. */
  add(
    userId: string,
    identity: ConnectedIdentity,
    now: Date,
  ): Promise<'added' | 'already-yours' | 'other-account'>;
  /** Returns the user's connections, oldest first. */
  list(userId: string): Promise<ListedConnection[]>;
  /** Returns a connection of this user; `null` for an unknown id, or another user's. */
  find(userId: string, id: string): Promise<ListedConnection | null>;
  /** Removes a connection, unless it is the user's last sign-in method. */
  remove(userId: string, id: string, now: Date): Promise<'removed' | 'unknown' | 'last-way-in'>;
  /** Returns the user's sign-in methods. */
  countSignInMethods(userId: string): Promise<SignInMethods>;
  /** Returns the columns of a new connection. */
  toConnectionColumns(identity: ConnectedIdentity, now: Date): NewConnection;
}

interface NewConnection {
  issuer: string;
  subject: string;
  provider: string;
  displayName: string;
  createdAt: Date;
  lastUsedAt: Date;
}

const LISTED = {
  id: true,
  provider: true,
  displayName: true,
  createdAt: true,
  lastUsedAt: true,
} as const;

export function createConnections({ db }: { db: Database['client'] }): Connections {
  const toConnectionColumns: Connections['toConnectionColumns'] = (identity, now) => {
    const { issuer, subject, provider, displayName } = identity;
    return {
      issuer,
      subject,
      provider,
      displayName,
      createdAt: now,
      lastUsedAt: now,
    };
  };
  const findUserId: Connections['findUserId'] = async ({ issuer, subject }) => {
    const where = { issuer_subject: { issuer, subject } };
    return (await db.connection.findUnique({ where, select: { userId: true } }))?.userId ?? null;
  };

  return {
    findUserId,
    toConnectionColumns,
    countSignInMethods: (userId) => countSignInMethods(db, userId),
    async authenticate(identity, now) {
      const { issuer, subject, displayName } = identity;
      const userId = await findUserId(identity);
      if (userId === null) return null;
      // It may have been disconnected, or connected to another user, in between.
      const { count } = await db.connection.updateMany({
        where: { issuer, subject, userId },
        data: { lastUsedAt: now, displayName },
      });
      return count > 0 ? userId : null;
    },
    async add(userId, identity, now) {
      try {
        const data = { userId, ...toConnectionColumns(identity, now) };
        await db.connection.create({ data, select: { id: true } });
        return 'added';
      } catch (error) {
        if (!isUniqueViolation(error, 'subject')) throw error;
        return (await findUserId(identity)) === userId ? 'already-yours' : 'other-account';
      }
    },
    list: (userId) =>
      db.connection.findMany({
        where: { userId },
        select: LISTED,
        orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
      }),
    find: (userId, id) => db.connection.findFirst({ where: { id, userId }, select: LISTED }),
    remove: (userId, id, now) =>
      removeSignInMethod(db, userId, now, async (transaction) => {
        const { count } = await transaction.connection.deleteMany({ where: { id, userId } });
        return count;
      }),
  };
}
