import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { ServerBuild } from '@remix-run/node';
import { Cron } from 'croner';
import type { RequestHandler } from 'express';
import type { DestinationStream } from 'pino';
import { MAX_TOKENS, TOKEN_DAYS, type TokenMeta } from '#app/tokens/token-schema.ts';
import { createActivityLog } from '#app/activity/activity-log.server.ts';
import { createErasureJournal } from '#app/privacy/erasure-journal.server.ts';
import { createErasures } from '#app/privacy/erasure.server.ts';
import { createPictures } from '#app/account/pictures.server.ts';
import { createApiGuide } from '#app/api/guide.server.ts';
import { createApi } from '#app/api/api.server.ts';
import {
  USER_COLUMNS,
  USER_SUBQUERIES,
  type Application,
  type User,
  type UserColumn,
  type UserSubquery,
} from '#app/context.server.ts';
import { createConnections } from '#app/credentials/providers/connections.server.ts';
import { createPasswords, type Passwords } from '#app/credentials/password/passwords.server.ts';
import { createPasskeys } from '#app/credentials/passkeys/passkeys.server.ts';
import type { SessionMeta } from '#app/visit/proof.ts';
import { createMailedCodes } from '#app/credentials/mailed-codes/mailed-codes.server.ts';
import { createOauthSessions } from '#app/credentials/providers/oauth-sessions.server.ts';
import { createRecoveryCodes } from '#app/credentials/recovery-codes/recovery-codes.server.ts';
import { createProviders } from '#app/credentials/providers/providers.server.ts';
import { createPasswordRules } from '#app/credentials/password/password-rules.server.ts';
import { createReplayGuard } from '#app/database/replay-guard.server.ts';
import { createTotp } from '#app/credentials/totp/totp.server.ts';
import { openDatabase, type Database } from '#app/database/database.server.ts';
import { parseEnv, type Env } from '#app/config/env.server.ts';
import { builtFiles } from '#app/http/built-files.server.ts';
import { createCookies } from '#app/http/all-cookies.server.ts';
import { createMemoryCounters, type CounterStore } from '#app/limits/counters.server.ts';
import { createDrain } from '#app/operations/drain.server.ts';
import { createHealth } from '#app/operations/health.server.ts';
import { createMetricsServer, showMetrics } from '#app/operations/metrics-endpoint.server.ts';
import { createPostgresCounters } from '#app/limits/postgres-counters.server.ts';
import { createRedisCounters } from '#app/limits/redis-counters.server.ts';
import { openPlaces } from '#app/network/places.server.ts';
import { createRateLimits, type RateLimits } from '#app/limits/rate-limits.server.ts';
import { accessByRoute } from '#app/http/route-access.ts';
import { sealedCookies } from '#app/http/sealed-cookie.server.ts';
import { createSessionCookie } from '#app/http/session-cookie.server.ts';
import { createSessionStreams } from '#app/live/session-streams.server.ts';
import { createWeb } from '#app/http/web.server.ts';
import { runCleanup } from '#app/privacy/hourly-cleanup.server.ts';
import { createKeyring, type Keyring } from '#app/config/keyring.server.ts';
import { openLogDestination } from '#app/operations/log-destination.server.ts';
import { createLog } from '#app/operations/log.server.ts';
import { startMail, type MailService } from '#app/mail/start-mail.server.ts';
import {
  createMetrics,
  noMetrics,
  type Metrics,
  type ShownMetrics,
} from '#app/operations/metrics.server.ts';
import { createPrivateFolder } from '#app/config/private-folder.server.ts';
import { parseProviders } from '#app/config/provider-settings.server.ts';
import { openRedis, type Redis } from '#app/database/redis.server.ts';
import { listen } from '#app/operations/listen.server.ts';
import { urls } from '#app/routes.ts';
import { loadSecrets } from '#app/config/secrets.server.ts';
import { countEndedSessions } from '#app/sessions/stores/counting-store.ts';
import { DAY_MS, SECOND_MS, Sessions } from '#app/sessions/index.ts';
import type { NewsFeed, SessionFeed } from '#app/sessions/session-feed.ts';
import { SessionCache, uncachedLookup, type Lookup } from '#app/sessions/session-cache.ts';
import { prismaSessionStore } from '#app/sessions/stores/prisma.ts';
import { StartupError } from '#app/config/startup-error.ts';
import { stopOnSignals } from '#app/operations/stop-signals.server.ts';
import { startTracing } from '#app/operations/tracing.server.ts';

const EVERY_HOUR = '17 * * * *';
/** Of the time for a stop: for what is left to do when the last request is over. */
const STOP_REST_MS = SECOND_MS;
const LONGEST_TOKEN_MS = Math.max(...TOKEN_DAYS) * DAY_MS;

export interface ServerOptions {
  /** Variables of the environment; see `env.server.ts`. */
  env: Record<string, string | undefined>;
  /** The clock. Default: the system's. */
  now?: () => Date;
  /** Where log lines go. Default: standard output. */
  logTo?: DestinationStream;
  /** Hears of every statement that the database carried out. */
  onQuery?: (sql: string) => void;
}

export interface RunningServer {
  /** What people type into the browser. */
  origin: string;
  port: number;
  /** What the routes work with. */
  application: Application;
  /** Sends what waits; see `app/mail`. null: no mail can be sent. */
  mailWorker: MailService['worker'];
  /** Where /metrics is shown on a port of its own; null: it is not. */
  metricsPort: number | null;
  database: Database;
  /**
   * Stops gracefully: says at /readyz that it is not ready, waits STOP_DELAY_SECONDS for whoever asks
   * there, takes no more connections, finishes requests under way, and lets go of everything.
   */
  close(): Promise<void>;
}

/**
 * Puts the application together and serves it.
 *
 * @throws {StartupError} with one sentence for whoever starts it.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { now = () => new Date(), onQuery } = options;
  const env = parseEnv(options.env);
  const providers = await createProviders(parseProviders(options.env));
  const log = createLog(env.LOG_LEVEL, options.logTo);
  const secrets = loadSecrets(env);
  const keyring = createKeyring(secrets.encryptionKeys);
  const database = await openDatabase({ databaseUrl: env.DATABASE_URL, log, onQuery });
  const passwords = createPasswords({
    db: database.client,
    pepper: secrets.passwordPepper,
    cost: env.BCRYPT_COST,
    ...passwordThreads(),
  });
  const shownMetrics = await openMetrics(env, passwords);
  const metrics = shownMetrics ?? noMetrics;
  const tracing = await startTracing(options.env);
  const redis = env.REDIS_URL ? await openRedis({ url: env.REDIS_URL, log }) : null;
  const server = createServer();
  const drain = createDrain(server);
  const stopWithinMs = env.STOP_WITHIN_SECONDS * SECOND_MS;
  const stopDelayMs = env.STOP_DELAY_SECONDS * SECOND_MS;
  const closers: (() => Promise<unknown>)[] = [
    async () => {
      const cut = await drain.drain(stopWithinMs - stopDelayMs - STOP_REST_MS);
      if (cut > 0) log.warn({ cut }, 'connections were cut: they took too long to finish');
    },
    () => passwords.close(),
    () => tracing.close(),
    () => Promise.resolve(shownMetrics?.close()),
    () => Promise.resolve(redis?.close()),
    () => database.close(),
  ];
  const close = async () => {
    const closing = closeAll(closers.splice(0));
    const giveUp = new AbortController();
    const late = delay(stopWithinMs, 'late', { signal: giveUp.signal }).catch(() => null);
    try {
      if ((await Promise.race([closing, late])) !== 'late') return;
      log.warn('stopping took too long; what was not done yet is left as after a crash');
    } finally {
      giveUp.abort();
    }
  };
  try {
    const leased = env.SESSION_CACHE === 'leased' ? database.openLeasedFeed(log) : null;
    const feed: NewsFeed = leased
      ? { ...leased, isLinked: () => leased.isCurrent() }
      : await database.openFeed(log);
    closers.splice(-1, 0, () => feed.close());
    const { sessions, tokens } = createSessions(env, database, { feed, leased, metrics });
    const health = createHealth({
      checks: [
        { name: 'database', check: () => database.isAnswering() },
        { name: 'migrations', check: () => database.isMigrated() },
      ],
      // Without it open pages hear of changes late; every request is answered all the same.
      besides: [{ name: 'feed', check: () => feed.isLinked() }],
      log,
    });
    metrics.watchFeed(() => feed.isLinked());
    const { build, files, closeBuild } = await loadBuild(env, server);
    closers.unshift(closeBuild);
    const places = await openPlaces();
    const ownPort = await openMetricsPort(env, shownMetrics);
    if (ownPort) closers.splice(-1, 0, ownPort.close);
    const port = await listen(server, { host: env.HOST, port: env.PORT, name: '' });
    // Nothing is awaited from here on: the first request finds everything in its place.
    // Port 0 asks for any free one; which it was is known only now.
    const origin = env.PORT === 0 && !options.env.ORIGIN ? `http://localhost:${port}` : env.ORIGIN;
    const mail = startMail({
      env,
      origin,
      db: database.client,
      keyring,
      now,
      log,
      makeFolder: createPrivateFolder,
    });
    // After the last request, which may ask for mail, and before the database.
    closers.splice(-1, 0, () => mail.close());
    const replayGuard = createReplayGuard(database.client);
    const limits = rateLimits(env, countersFor(database, redis), keyring);
    const sessionCookie = createSessionCookie(env.ORIGIN);
    const streams = createSessionStreams({
      origin,
      sessions,
      sessionCookie,
      feed,
      metrics,
      now,
      log,
      mostInAll: env.EVENT_STREAMS_IN_ALL,
    });
    // Before the server stops: it waits for answers, and these have no end.
    closers.unshift(() => streams.close());
    const application: Application = {
      origin,
      db: database.client,
      sessions,
      tokens,
      feed,
      streams,
      sessionCookie,
      cookies: createCookies(sealedCookies(keyring, env.ORIGIN)),
      keyring,
      passwords,
      passwordRules: createPasswordRules({
        rangeApi: env.PWNED_PASSWORDS === 'on' ? env.PWNED_PASSWORDS_URL : null,
        now,
        log,
      }),
      mailedCodes: createMailedCodes({ db: database.client, keyring }),
      totp: createTotp({ db: database.client, keyring }),
      recoveryCodes: createRecoveryCodes({ db: database.client, keyring }),
      replayGuard,
      snapshots: database.snapshots,
      passkeys: createPasskeys({ db: database.client, origin, replayGuard }),
      providers,
      connections: createConnections({ db: database.client, keyring }),
      oauthSessions: createOauthSessions({ db: database.client, keyring, now }),
      activity: createActivityLog({
        db: database.client,
        provider: database.provider,
        checkpoint: database.checkpoint,
        retentionDays: env.ACTIVITY_RETENTION_DAYS,
      }),
      pictures: createPictures({ db: database.client }),
      erasures: createErasures({
        db: database.client,
        provider: database.provider,
        keyring,
        log,
        journal: createErasureJournal({
          file: env.ERASURE_JOURNAL,
          makeFolder: createPrivateFolder,
        }),
        mailer: mail.mailer,
        forget: {
          counters: (user) => limits.forget(user),
          mail: (address) => mail.forget(address),
        },
      }),
      mailer: mail.mailer,
      outbox: mail.outbox,
      limits,
      apiGuide: createApiGuide({ origin, sessionCookie }),
      places,
      log,
      metrics,
    };
    const web = createWeb({
      application,
      build,
      files,
      now,
      access: accessByRoute(urls),
      mode: env.NODE_ENV === 'development' ? 'development' : 'production',
      trustedProxies: env.TRUSTED_PROXIES,
      operations: [health.answer, ...(ownPort ? [] : metricsRoutes(env, shownMetrics))],
      api: createApi(application, now),
      tracing,
    });
    server.on('request', web);
    const job = schedulePrune(application, now);
    closers.unshift(() => Promise.resolve(job.stop()));
    closers.unshift(async () => {
      log.info('Latchkey is stopping');
      health.markStopping();
      await delay(stopDelayMs);
    });
    // What a crash has cut off; the hourly job tries again what cannot be done now.
    await application.erasures.finishPending();
    log.info({ origin }, 'Latchkey is serving');
    const metricsPort = ownPort?.port ?? null;
    return { origin, port, metricsPort, application, mailWorker: mail.worker, database, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function closeAll(closers: (() => Promise<unknown>)[]): Promise<void> {
  for (const closeOne of closers) await closeOne();
}

/** null: nobody is to see any. */
async function openMetrics(env: Env, passwords: Passwords): Promise<ShownMetrics | null> {
  if (env.METRICS_PORT === undefined && env.METRICS_TOKEN === undefined) return null;
  return createMetrics({ waitingHashes: () => passwords.waiting() });
}

const shownBy = (env: Env, metrics: ShownMetrics) => ({
  metrics,
  token: env.METRICS_TOKEN ?? null,
});

/** On the port of everybody else, for whoever has the token. */
function metricsRoutes(env: Env, metrics: ShownMetrics | null): RequestHandler[] {
  return metrics ? [showMetrics(shownBy(env, metrics))] : [];
}

/** null: they are shown on no port of their own. */
async function openMetricsPort(env: Env, metrics: ShownMetrics | null) {
  if (!metrics || env.METRICS_PORT === undefined) return null;
  const server = createMetricsServer(shownBy(env, metrics));
  const at = { host: env.METRICS_HOST, port: env.METRICS_PORT, name: 'METRICS_' } as const;
  const close = () => Promise.resolve(server.close().closeAllConnections());
  return { port: await listen(server, at), close };
}

interface SessionsParts {
  feed: NewsFeed;
  /** The same feed, where memory may answer under leases; null: every request reads its row. */
  leased: SessionFeed | null;
  metrics: Metrics;
}

function createSessions(
  env: Env,
  { client, provider, rows, checkpoint }: Database,
  { feed, leased, metrics }: SessionsParts,
) {
  const onLookup = (result: Lookup) => metrics.lookups.inc({ result });
  const max = env.SESSION_CACHE_SIZE;
  const table = {
    client,
    provider,
    rows,
    checkpoint,
    userColumns: USER_COLUMNS,
    userSubqueries: USER_SUBQUERIES,
  };
  // Two engines over one table, each of a kind: to one the rows of the other are not there.
  const optionsOf = <Meta>(kind: 'session' | 'token') => ({
    feed: leased ?? feed,
    cache: leased
      ? new SessionCache<Meta, User>({ feed: leased, max, onLookup })
      : uncachedLookup<Meta, User>(onLookup),
    store: countEndedSessions(
      prismaSessionStore<Meta, UserColumn, UserSubquery>({ ...table, kind }),
      (reason, count) => metrics.revocations.inc({ reason }, count),
    ),
    retentionMs: env.SESSION_RETENTION_DAYS * DAY_MS,
  });
  const sessions = new Sessions<SessionMeta, User>({
    ...optionsOf('session'),
    timeouts: {
      idleMs: env.SESSION_IDLE_SECONDS * SECOND_MS,
      lifetimeMs: env.SESSION_LIFETIME_SECONDS * SECOND_MS,
      rememberedIdleMs: env.REMEMBERED_SESSION_IDLE_SECONDS * SECOND_MS,
      rememberedLifetimeMs: env.REMEMBERED_SESSION_LIFETIME_SECONDS * SECOND_MS,
      freshMs: env.SESSION_FRESH_SECONDS * SECOND_MS,
      touchIntervalMs: env.SESSION_TOUCH_SECONDS * SECOND_MS,
    },
    maxPerUser: env.SESSIONS_PER_USER,
  });
  const tokens = new Sessions<TokenMeta, User>({
    ...optionsOf('token'),
    expiry: 'fixed',
    timeouts: {
      idleMs: LONGEST_TOKEN_MS,
      lifetimeMs: LONGEST_TOKEN_MS,
      touchIntervalMs: env.SESSION_TOUCH_SECONDS * SECOND_MS,
    },
    // Refused long before: nothing makes room by itself.
    maxPerUser: MAX_TOKENS * 2,
  });
  return { sessions, tokens };
}

/** Where tries are counted: shared by all processes if there is a place that they share. */
function countersFor({ client, provider }: Database, redis: Redis | null): CounterStore {
  if (redis) return createRedisCounters(redis);
  return provider === 'postgresql' ? createPostgresCounters(client) : createMemoryCounters();
}

function rateLimits(env: Env, counters: CounterStore, keyring: Keyring): RateLimits {
  const options = {
    passwordTriesPerAccount: env.PASSWORD_TRIES_PER_ACCOUNT,
    passwordTriesPerNetwork: env.PASSWORD_TRIES_PER_NETWORK,
    passwordTriesInAll: env.PASSWORD_TRIES_IN_ALL,
    codeTriesPerAccount: env.CODE_TRIES_PER_ACCOUNT,
    codeTriesPerNetwork: env.CODE_TRIES_PER_NETWORK,
    codeTriesInAll: env.CODE_TRIES_IN_ALL,
    signUpsPerNetwork: env.SIGN_UPS_PER_NETWORK,
    signUpsInAll: env.SIGN_UPS_IN_ALL,
    mailsPerAddress: env.MAILS_PER_ADDRESS,
    mailsPerNetwork: env.MAILS_PER_NETWORK,
    mailsInAll: env.MAILS_IN_ALL,
  };
  return createRateLimits(options, counters, keyring);
}

function schedulePrune(application: Application, now: () => Date): Cron {
  const options = { protect: true, unref: true, timezone: 'UTC' };
  return new Cron(EVERY_HOUR, options, () => runCleanup(application, now()));
}

// Bundled, the worker lies beside the server; from the sources it needs a loader for TypeScript.
function passwordThreads(): { worker: URL; execArgv?: string[] } {
  return import.meta.url.endsWith('.ts')
    ? {
        worker: new URL('./app/credentials/password/password-worker.ts', import.meta.url),
        execArgv: ['--import', 'tsx'],
      }
    : { worker: new URL('./password-worker.js', import.meta.url) };
}

interface LoadedBuild {
  build: ServerBuild | (() => Promise<ServerBuild>);
  files: RequestHandler[];
  closeBuild: () => Promise<void>;
}

async function loadBuild(env: Env, server: Server): Promise<LoadedBuild> {
  if (env.NODE_ENV === 'development') {
    const { createServer: createVite } = await import('vite');
    const vite = await createVite({
      server: { middlewareMode: true, hmr: { server } },
      appType: 'custom',
    });
    return {
      build: () => vite.ssrLoadModule('virtual:remix/server-build') as Promise<ServerBuild>,
      files: [vite.middlewares as RequestHandler],
      closeBuild: () => vite.close(),
    };
  }
  const file = pathToFileURL(join(process.cwd(), 'build/server/index.js'));
  return {
    build: (await import(file.href)) as ServerBuild,
    files: [builtFiles('build/client')],
    closeBuild: () => Promise.resolve(),
  };
}

export interface MainOptions {
  /** True if a user reads the output: it ends with what to do next. */
  isWelcoming?: boolean;
}

/** Starts the application from the command line, and stops it when told to. */
export async function main({ isWelcoming = false }: MainOptions = {}): Promise<void> {
  const logTo = await openLogDestination();
  const starting = startServer({ env: process.env, logTo });
  // From the first moment on: a start that is under way is finished, and then undone.
  stopOnSignals(async () => (await starting).close());
  try {
    const running = await starting;
    if (isWelcoming) logTo.write(welcome(running));
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

function welcome({ origin, application }: RunningServer): string {
  const lines = [
    `  Latchkey is at   ${origin}`,
    application.outbox && `  Read its mail at ${origin}/outbox`,
    application.outbox && '  For a demo account, in another terminal: npm run seed',
  ];
  return `\n${lines.filter(Boolean).join('\n')}\n`;
}
