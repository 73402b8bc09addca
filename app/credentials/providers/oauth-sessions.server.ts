import type { Database } from '#app/database/database.server.ts';
import type { Keyring } from '#app/config/keyring.server.ts';

/** What a store granted the application, with its keys in clear. */
export interface OauthSession {
  id: string;
  /** The store's domain; one row a store. */
  store: string;
  /** True when it is good for one person only, and not for the store as a whole. */
  isOnline: boolean;
  accessToken: string;
  refreshToken: string | null;
  userId: string | null;
  firstName: string | null;
  lastName: string | null;
  email: string | null;
  emailVerified: boolean | null;
  createdAt: Date;
  lastSeenAt: Date;
}

/** What a new row must say, and may say. */
export type NewOauthSession = Pick<OauthSession, 'store' | 'isOnline' | 'accessToken'> &
  Partial<OauthSession>;

/** What changes; a field that is left out or undefined stays. */
export type OauthSessionChange = Partial<Omit<OauthSession, 'id' | 'store'>>;

/** The two calls of a Prisma client that keep OAuth sessions, as applications of stores make them. */
export interface OauthSessionStorage {
  session: {
    /**
     * Keeps what a store granted: a new row, or the row of the store changed.
     *
     * @returns the row as it stands now.
     * @throws TypeError when `create` is of another store than `where`; what the database throws, and
     *   nothing was kept then.
     */
    upsert(args: {
      where: { store: string };
      update: OauthSessionChange & { store?: string };
      create: NewOauthSession;
    }): Promise<OauthSession>;
    /**
     * What a store granted; null: nothing.
     *
     * @throws UnreadableTokenError when its keys cannot be opened; what the database throws.
     */
    findUnique(args: { where: { store: string } }): Promise<OauthSession | null>;
  };
}

/** A token is there, and cannot be read: it was sealed under a key that is gone, or for another store. */
export class UnreadableTokenError extends Error {
  override name = 'UnreadableTokenError';
  constructor(readonly store: string) {
    super(
      `The token of ${store} cannot be opened: put the key that it was sealed under back in ENCRYPTION_KEYS, or have the store connect anew.`,
    );
  }
}

const ACCESS_TOKEN = 'oauth access token';
const REFRESH_TOKEN = 'oauth refresh token';

/**
 * OAuth sessions in the table "OauthSession". Both tokens are sealed (AES-256-GCM) together with the
 * name of their store: a row that somebody copies over another opens for neither.
 *
 * @param options.now the clock, for `lastSeenAt` where a caller does not say. Default: the system's.
 */
export function createOauthSessions(options: {
  db: Pick<Database['client'], 'oauthSession'>;
  keyring: Keyring;
  now?: () => Date;
}): OauthSessionStorage {
  const { db, keyring, now = () => new Date() } = options;
  const seal = (purpose: string, store: string, token: string) =>
    keyring.seal(purpose, JSON.stringify([store, token]));
  const open = (purpose: string, store: string, sealed: string): string => {
    const text = keyring.open(purpose, sealed);
    const [ofStore, token] = text === null ? [] : (JSON.parse(text) as [string, string]);
    if (token === undefined || ofStore !== store) throw new UnreadableTokenError(store);
    return token;
  };
  const read = (row: OauthSession): OauthSession => ({
    ...row,
    accessToken: open(ACCESS_TOKEN, row.store, row.accessToken),
    refreshToken: row.refreshToken && open(REFRESH_TOKEN, row.store, row.refreshToken),
  });
  const sealed = <Fields extends OauthSessionChange>(store: string, fields: Fields): Fields => {
    const { accessToken, refreshToken } = fields;
    return {
      ...fields,
      ...(accessToken !== undefined && { accessToken: seal(ACCESS_TOKEN, store, accessToken) }),
      ...(refreshToken != null && { refreshToken: seal(REFRESH_TOKEN, store, refreshToken) }),
    };
  };

  return {
    session: {
      async upsert({ where: { store }, update, create }) {
        if (create.store !== store || (update.store ?? store) !== store) {
          throw new TypeError(
            'One row a store: where, create and update must name the same store.',
          );
        }
        const seen = { lastSeenAt: now() };
        const row = await db.oauthSession.upsert({
          where: { store },
          update: sealed(store, { ...seen, ...update }),
          create: sealed(store, { createdAt: now(), ...seen, ...create }),
        });
        return read(row);
      },

      async findUnique({ where: { store } }) {
        const row = await db.oauthSession.findUnique({ where: { store } });
        return row && read(row);
      },
    },
  };
}
