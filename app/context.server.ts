import type { ApiGuide } from '#app/api/guide.server.ts';
import type { TokenMeta } from '#app/tokens/token-schema.ts';
import type { ActivityLog } from '#app/activity/activity-log.server.ts';
import type { Pictures } from '#app/account/pictures.server.ts';
import type { Erasures } from '#app/privacy/erasure.server.ts';
import type { MailedCodes } from '#app/credentials/mailed-codes/mailed-codes.server.ts';
import type { Passkeys } from '#app/credentials/passkeys/passkeys.server.ts';
import type { SessionMeta } from '#app/visit/proof.ts';
import type { Connections } from '#app/credentials/providers/connections.server.ts';
import type { Providers } from '#app/credentials/providers/providers.server.ts';
import type { PasswordRules } from '#app/credentials/password/password-rules.server.ts';
import type { OauthSessionStorage } from '#app/credentials/providers/oauth-sessions.server.ts';
import type { ReplayGuard } from '#app/database/replay-guard.server.ts';
import type { Totp } from '#app/credentials/totp/totp.server.ts';
import type { RecoveryCodes } from '#app/credentials/recovery-codes/recovery-codes.server.ts';
import type { Passwords } from '#app/credentials/password/passwords.server.ts';
import type { Database } from '#app/database/database.server.ts';
import type { Cookies } from '#app/http/all-cookies.server.ts';
import type { Places } from '#app/network/places.server.ts';
import type { RateLimits } from '#app/limits/rate-limits.server.ts';
import type { SessionCookie } from '#app/http/session-cookie.server.ts';
import type { Mailer } from '#app/mail/mail.ts';
import type { Outbox } from '#app/mail/outbox.server.ts';
import type { Keyring } from '#app/config/keyring.server.ts';
import type { Log } from '#app/operations/log.server.ts';
import type { Metrics } from '#app/operations/metrics.server.ts';
import type { SessionStreams } from '#app/live/session-streams.server.ts';
import type { NewsFeed, ResumedSession, Sessions } from '#app/sessions/index.ts';

/** What is read of a person along with each session, in the same statement. */
export const USER_COLUMNS = ['id', 'email', 'name'] as const;
/** And of other tables, likewise; null where there is nothing. `u` is the row of the person. */
export const USER_SUBQUERIES = {
  /** Names their picture: see `Pictures`. */
  picture: 'SELECT p."digest" FROM "Picture" p WHERE p."userId" = u."id"',
} as const;
export type UserColumn = (typeof USER_COLUMNS)[number];
export type UserSubquery = keyof typeof USER_SUBQUERIES;
export type User = Record<UserColumn, string> & Record<UserSubquery, string | null>;

/** The device that sent a request. */
export interface Device {
  userAgent: string;
  ipAddress: string;
  /** ISO 3166-1 alpha-2; null: not known. */
  country: string | null;
}

/** What lives as long as the process: made by `server.ts`, and nowhere else. */
export interface Application {
  /** Scheme, host and port under which people reach the application. */
  origin: string;
  db: Database['client'];
  sessions: Sessions<SessionMeta, User>;
  /** Personal access tokens: sessions of a kind of their own, which no cookie opens. */
  tokens: Sessions<TokenMeta, User>;
  /** What happens to sessions, as it happens, on any node. */
  feed: NewsFeed;
  streams: SessionStreams;
  sessionCookie: SessionCookie;
  cookies: Cookies;
  keyring: Keyring;
  passwords: Passwords;
  passwordRules: PasswordRules;
  totp: Totp;
  mailedCodes: MailedCodes;
  recoveryCodes: RecoveryCodes;
  providers: Providers;
  connections: Connections;
  /** What stores granted by OAuth; for routes that act in a store. */
  oauthSessions: OauthSessionStorage;
  replayGuard: ReplayGuard;
  snapshots: Database['snapshots'];
  passkeys: Passkeys;
  activity: ActivityLog;
  pictures: Pictures;
  erasures: Erasures;
  mailer: Mailer;
  /** Where mail is kept in place of sending it; null wherever it is sent, or the origin is not this machine. */
  outbox: Outbox | null;
  limits: RateLimits;
  apiGuide: () => ApiGuide;
  places: Places;
  log: Log;
  metrics: Metrics;
}

/** What an outage in the middle of a request must not cost anybody; see `guardRoutes`. */
export interface Owed {
  /** `Set-Cookie` values that must reach the browser: the token that it holds is dead already. */
  cookies: string[];
  /** Give back tries that were taken, and of which nobody could tell whether they were right. */
  tries: Set<() => Promise<void>>;
}

/** The answer to a request, on its way. */
export interface ResponseProgress {
  /** Resolves when what was sent so far has left, or never will: more would only pile up in memory. */
  isReady(): Promise<void>;
  /** Aborted when nobody is there any more to answer. */
  gone: AbortSignal;
}

/** What routes may reach: the application, and what belongs to this one request. */
export interface PageContext extends Application {
  /** Taken once, when the request arrived. */
  now: Date;
  /** Of this answer's Content-Security-Policy. */
  nonce: string;
  device: Device;
  /** What the request's cookie is worth; looked up once, however many ask. Throws when the store is down. */
  session(): Promise<ResumedSession<SessionMeta, User>>;
  /** The token of the request's cookie, unchecked; null when there is none. */
  token: string | null;
  owed: Owed;
  outgoing: ResponseProgress;
}

declare module '@remix-run/node' {
  // Loaders' data reach the page as they are, not by way of JSON.
  interface Future {
    v3_singleFetch: true;
  }
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- declaration merging needs an interface
  interface AppLoadContext extends PageContext {}
}
