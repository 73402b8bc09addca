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

/** Sessions of express-session in the table that Latchkey shows people; see {@link managedSessions}. */
export class ManagedSessionStore<Meta = unknown, User = unknown> extends ExpressStore {
  /** @throws TypeError when an option is not what it may be. */
  constructor(prisma: PrismaWithManagedData, options: ManagedStoreOptions<Meta, User>) {
    if (options.application.trim() === '') {
      throw new TypeError('application must be the name that people know the application by.');
    }
    const data = prismaManagedData(prisma, options.application);
    super(new ManagedSessions(options, data), options, storeLog(options));
  }
}

/** What `session()` of express-session is to be given, but for the secret. */
export type ManagedSettings = Required<
  Pick<SessionOptions, 'genid' | 'name' | 'resave' | 'saveUninitialized' | 'unset'>
> & { store: ManagedSessionStore; cookie: CookieOptions };

/**
 * All settings with which an Express application shares the sessions of this table:
 *
 *     app.use(session({ secret, ...managedSessions({ prisma, sessions, application: 'Back office',
 *       userIdFrom: (session) => session.userId, isHttps: true }) }));
 *
 * Call `req.session.regenerate()` before signing somebody in, and `destroy()` to sign them out.
 *
 * @param options.prisma a Prisma client of Latchkey's schema.
 * @param options.isHttps false only where people reach the application by http://localhost.
 * @throws TypeError when an option is not what it may be.
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
    // The store writes activity down by itself, and takes no session that nothing is in.
    resave: false,
    saveUninitialized: false,
    // With 'destroy', a request whose session could not be read would end it.
    unset: 'keep',
  };
}

/** "__Host-back-office-session": browsers keep such a cookie to this host, and to HTTPS (RFC 6265bis). */
function cookieName(application: string, isHttps: boolean): string {
  const words = application.toLowerCase().match(/[a-z0-9]+/g) ?? ['express'];
  return `${isHttps ? '__Host-' : ''}${words.join('-')}-session`;
}
