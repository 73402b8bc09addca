import type { Database } from '#app/database/database.server.ts';
import type { Keyring } from '#app/config/keyring.server.ts';

/** The access that a store granted the application, with its tokens in clear text. */
interface OauthSession {
  id: string;
  /** The store's domain; one row per store. */
  store: string;
  /** True if it is valid for one user only, and not for the store as a whole. */
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

/** The required and optional fields of a new row. */
type NewOauthSession = Pick<OauthSession, 'store' | 'isOnline' | 'accessToken'> &
  Partial<OauthSession>;

/** The fields to change; a field that is left out or undefined stays as it is. */
type OauthSessionChange = Partial<Omit<OauthSession, 'id' | 'store'>>;

/** The two methods of a Prisma client with which store applications save OAuth sessions. */
export interface OauthSessionStorage {
  session: {
    /**
     * Saves what a store granted: creates or updates the row of the store.
     *
     * @returns the row as it is now.
     * @throws TypeError if `create` is for another store than `where`; whatever the database throws, and
     *   then nothing was saved.
     */
    upsert(args: {
      where: { store: string };
      update: OauthSessionChange & { store?: string };
      create: NewOauthSession;
    }): Promise<OauthSession>;
    /**
     * Returns what a store granted; `null` if there is no row.
     *
     * @throws UnreadableTokenError if its tokens cannot be opened; whatever the database throws.
     */
    findUnique(args: { where: { store: string } }): Promise<OauthSession | null>;
  };
}

/** A stored token cannot be opened: it was sealed under a key that is gone, or for another store. */
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
 * name of their store, so that a token that was copied to another store's row cannot be opened there.
 *
 * @param options.now the clock, for the times that a caller leaves out. Default: the system's.
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
