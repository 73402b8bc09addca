import { createServer } from 'node:http';
import type { DestinationStream } from 'pino';
import { parseEnv, type Env } from '#app/config/env.server.ts';
import { createKeyring } from '#app/config/keyring.server.ts';
import { parseProviders } from '#app/config/provider-settings.server.ts';
import { loadSecrets } from '#app/config/secrets.server.ts';
import { createPasswords } from '#app/credentials/password/passwords.server.ts';
import { createProviders } from '#app/credentials/providers/providers.server.ts';
import { openDatabase } from '#app/database/database.server.ts';
import { openRedis } from '#app/database/redis.server.ts';
import { loadRemixBuild } from '#app/http/remix-build.server.ts';
import { openPlaces } from '#app/network/places.server.ts';
import type { Closers } from '#app/operations/closers.server.ts';
import { createDrain } from '#app/operations/drain.server.ts';
import { listen } from '#app/operations/listen.server.ts';
import { createLog } from '#app/operations/log.server.ts';
import { createMetricsServer } from '#app/operations/metrics-endpoint.server.ts';
import { createMetrics, noMetrics, type ShownMetrics } from '#app/operations/metrics.server.ts';
import { startTracing } from '#app/operations/tracing.server.ts';
import type { NewsFeed } from '#app/sessions/index.ts';
import { SECOND_MS } from '#app/sessions/time.ts';

/** Part of the time for a stop: for what is left to do after the last request. */
const STOP_REST_MS = SECOND_MS;

export interface BaseOptions {
  /** Variables of the environment; see `env.server.ts`. */
  env: Record<string, string | undefined>;
  /** The clock. Default: the system's. */
  now?: () => Date;
  /** Where log lines go. Default: standard output. */
  logTo?: DestinationStream;
  /** Called with every statement that the database carried out. */
  onQuery?: (sql: string) => void;
}

export type Base = Awaited<ReturnType<typeof openBase>>;

/**
 * Opens everything that takes time to open: settings, database, connections, the build. After it the
 * application is made without waiting.
 *
 * @throws {StartupError} with one sentence for the operator.
 */
export async function openBase(options: BaseOptions, closers: Closers) {
  const { now = () => new Date(), onQuery } = options;
  const env = parseEnv(options.env);
  const providers = await createProviders(parseProviders(options.env));
  const log = createLog(env.LOG_LEVEL, options.logTo);
  const secrets = loadSecrets(env);
  const keyring = createKeyring(secrets.encryptionKeys);
  const database = await openDatabase({ databaseUrl: env.DATABASE_URL, log, onQuery });
  closers.set('database', () => database.close());
  const passwords = createPasswords({
    db: database.client,
    pepper: secrets.passwordPepper,
    cost: env.BCRYPT_COST,
  });
  closers.set('threads', () => passwords.close());
  const hasMetrics = env.METRICS_PORT !== undefined || env.METRICS_TOKEN !== undefined;
  const shownMetrics = hasMetrics
    ? await createMetrics({ waitingHashes: () => passwords.waiting() })
    : null;
  closers.set('metrics', () => shownMetrics?.close());
  const tracing = await startTracing(options.env);
  closers.set('tracing', () => tracing.close());
  const redis = env.REDIS_URL ? await openRedis({ url: env.REDIS_URL, log }) : null;
  closers.set('redis', () => redis?.close());
  const server = createServer();
  const drain = createDrain(server);
  const stopWithinMs = env.STOP_WITHIN_SECONDS * SECOND_MS;
  const stopDelayMs = env.STOP_DELAY_SECONDS * SECOND_MS;
  closers.set('connections', async () => {
    const cut = await drain.drain(stopWithinMs - stopDelayMs - STOP_REST_MS);
    if (cut > 0) log.warn({ cut }, 'connections were cut: they took too long to finish');
  });
  const leased = env.SESSION_CACHE === 'leased' ? database.openLeasedFeed(log) : null;
  const feed: NewsFeed = leased
    ? { ...leased, isLinked: () => leased.isCurrent() }
    : await database.openFeed(log);
  closers.set('feed', () => feed.close());
  const isDevelopment = env.NODE_ENV === 'development';
  const remix = await loadRemixBuild({ isDevelopment }, server);
  closers.set('build', () => remix.close());
  const places = await openPlaces();
  const metricsPort = await openMetricsPort(env, shownMetrics, closers);
  return {
    env,
    hasOrigin: Boolean(options.env.ORIGIN),
    now,
    log,
    providers,
    keyring,
    database,
    passwords,
    shownMetrics,
    metrics: shownMetrics ?? noMetrics,
    metricsPort,
    tracing,
    redis,
    server,
    leased,
    feed,
    isDevelopment,
    remix,
    places,
    stopDelayMs,
    stopWithinMs,
  };
}

/** Returns the port that only metrics are served on; `null` if there is none. */
async function openMetricsPort(
  env: Env,
  metrics: ShownMetrics | null,
  closers: Closers,
): Promise<number | null> {
  if (!metrics || env.METRICS_PORT === undefined) return null;
  const server = createMetricsServer({ metrics, token: env.METRICS_TOKEN ?? null });
  closers.set('metrics-port', () => server.close().closeAllConnections());
  return listen(server, { host: env.METRICS_HOST, port: env.METRICS_PORT, name: 'METRICS_' });
}
