import { isUniqueViolation } from '#app/database/errors.server.ts';
import type { Database } from '#app/database/database.server.ts';
import type { Keyring } from '#app/config/keyring.server.ts';
import type { Identity, ProviderTokens } from './provider.ts';
import {
  removeSignInMethod,
  countSignInMethods,
  type SignInMethods,
} from '../sign-in-methods.server.ts';

/** What is written down of an identity; its tokens only if they are at hand. */
export type ConnectedIdentity = Pick<Identity, 'issuer' | 'subject' | 'displayName'> & {
  /** Id of the provider. */
  provider: string;
  tokens: ProviderTokens | null;
};

/** A connection as its owner sees it: without the provider's tokens. */
export interface ListedConnection {
  id: string;
  provider: string;
  displayName: string;
  createdAt: Date;
  lastUsedAt: Date | null;
}

/**
 * Identities at providers as a credential. Who somebody is there is (issuer, subject), and never an
 * e-mail: that of an account at a provider can change, and be given to somebody else.
 */
export interface Connections {
  /** The user to whom this identity is connected, without noting anything; null: nobody. */
  findUserId(identity: Pick<Identity, 'issuer' | 'subject'>): Promise<string | null>;
  /** The same; and it notes that it was used, and the provider's new tokens. */
  authenticate(identity: ConnectedIdentity, now: Date): Promise<string | null>;
  /** Connects it to the account, unless it is connected to this or another one already. */
  add(
    userId: string,
    identity: ConnectedIdentity,
    now: Date,
  ): Promise<'added' | 'already-yours' | 'anothers'>;
  /** The user's own, oldest first. */
  list(userId: string): Promise<ListedConnection[]>;
  /** One of the user's own; null for somebody else's and one that never was alike. */
  find(userId: string, id: string): Promise<ListedConnection | null>;
  /** Takes it away, unless the person could not sign in any more. */
  remove(userId: string, id: string, now: Date): Promise<'removed' | 'unknown' | 'last-way-in'>;
  /** What else the user could sign in with. */
  countSignInMethods(userId: string): Promise<SignInMethods>;
  /** The columns of a new connection. */
  toConnectionColumns(identity: ConnectedIdentity, now: Date): NewConnection;
  /** The provider's tokens of a connection; null when none are kept, or their key is gone. */
  tokensOf(id: string): Promise<ProviderTokens | null>;
}

export interface NewConnection {
  issuer: string;
  subject: string;
  provider: string;
  displayName: string;
  tokens: string | null;
  createdAt: Date;
  lastUsedAt: Date;
}

const TOKENS = 'provider tokens';
const LISTED = {
  id: true,
  provider: true,
  displayName: true,
  createdAt: true,
  lastUsedAt: true,
} as const;

export function createConnections({
  db,
  keyring,
}: {
  db: Database['client'];
  keyring: Keyring;
}): Connections {
  const seal = (tokens: ProviderTokens | null) =>
    tokens && keyring.seal(TOKENS, JSON.stringify(tokens));
  const toConnectionColumns: Connections['toConnectionColumns'] = (identity, now) => {
    const { issuer, subject, provider, displayName, tokens } = identity;
    return {
      issuer,
      subject,
      provider,
      displayName,
      tokens: seal(tokens),
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
      const { issuer, subject, displayName, tokens } = identity;
      const userId = await findUserId(identity);
      if (userId === null) return null;
      // It may have been disconnected, or connected to somebody else, since.
      const { count } = await db.connection.updateMany({
        where: { issuer, subject, userId },
        data: { lastUsedAt: now, displayName, ...(tokens ? { tokens: seal(tokens) } : {}) },
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
        return (await findUserId(identity)) === userId ? 'already-yours' : 'anothers';
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
    async tokensOf(id) {
      const row = await db.connection.findUnique({ where: { id }, select: { tokens: true } });
      const text = row?.tokens ? keyring.open(TOKENS, row.tokens) : null;
      return text === null ? null : (JSON.parse(text) as ProviderTokens);
    },
  };
}
