import type { CookieOptions, SessionOptions } from 'express-session';
import { generateSid } from './application-token.ts';
import { ExpressStore, type IntervalOptions } from './express-store.ts';
import { prismaManagedData, type PrismaWithManagedData } from './managed-data.ts';
import { ManagedSessions, type ManagedSessionsOptions } from './managed-sessions.ts';
import { storeLog, type LogOptions } from './store-log.ts';

export type ManagedStoreOptions<Meta = unknown, User = unknown> = ManagedSessionsOptions<
  Meta,
  User
> &
  IntervalOptions &
  LogOptions;

/** An express-session store in the table that Latchkey shows to users; see {@link managedSessions}. */
export class ManagedSessionStore<Meta = unknown, User = unknown> extends ExpressStore {
  /** @throws TypeError for an invalid option. */
  constructor(prisma: PrismaWithManagedData, options: ManagedStoreOptions<Meta, User>) {
    if (options.application.trim() === '') {
      throw new TypeError('application must be the name by which users know the application.');
    }
    const data = prismaManagedData(prisma, options.application);
    super(new ManagedSessions(options, data), options, storeLog(options));
  }
}

/** The options of express-session's `session()`, except for the secret. */
export type ManagedSettings = Required<
  Pick<SessionOptions, 'genid' | 'name' | 'resave' | 'saveUninitialized' | 'unset'>
> & { store: ManagedSessionStore; cookie: CookieOptions };

/**
 * Returns all settings with which an Express application shares the sessions of this table:
 *
 *     app.use(session({ secret, ...managedSessions({ prisma, sessions, application: 'Back office',
 *       userIdFrom: (session) => session.userId, isHttps: true }) }));
 *
 * Call `req.session.regenerate()` before signing in a user, and `destroy()` to sign out the user.
 *
 * @param options.prisma a Prisma client of Latchkey's schema.
 * @param options.isHttps false only if users open the application at http://localhost.
 * @throws TypeError for an invalid option.
 */
export function managedSessions<Meta = unknown, User = unknown>({
  prisma,
  isHttps,
  ...options
}: ManagedStoreOptions<Meta, User> & {
  prisma: PrismaWithManagedData;
  isHttps: boolean;
}): ManagedSettings {
  return {
    store: new ManagedSessionStore(prisma, options),
    genid: generateSid,
    name: cookieName(options.application, isHttps),
    cookie: { httpOnly: true, sameSite: 'lax', path: '/', secure: isHttps },
    // The store writes activity by itself, and does not save empty sessions.
    resave: false,
    saveUninitialized: false,
    // With 'destroy', a request that could not read its session would end it.
    unset: 'keep',
  };
}

/** Returns "__Host-back-office-session": browsers restrict such a cookie to this host and HTTPS (RFC 6265bis). */
function cookieName(application: string, isHttps: boolean): string {
  const words = application.toLowerCase().match(/[a-z0-9]+/g) ?? ['express'];
  return `${isHttps ? '__Host-' : ''}${words.join('-')}-session`;
}
