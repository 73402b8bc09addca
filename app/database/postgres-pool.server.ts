import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { quoteName, type DatabaseAddress } from './address.server.ts';

type PostgresAddress = Extract<DatabaseAddress, { provider: 'postgresql' }>;

/**
 * A request waits for a free connection and then for its statement, in total less than five seconds.
 * The server normally cancels a slow statement; a connection that stays silent for longer is dead.
 */
const CONNECT_WITHIN_MS = 2000;
const STATEMENT_WITHIN_MS = 2000;
const SILENT_AFTER_MS = STATEMENT_WITHIN_MS + 500;
/** A suspended process that resumes first reads what has arrived, before it calls a connection silent. */
const FINAL_READ_MS = 100;
const PROBE_WITHIN_MS = 1000;
const PROBE_EVERY_MS = 250;
/** The server ends the open transactions of a vanished process, and releases their locks. */
const IDLE_IN_TRANSACTION_MS = 30_000;
const UNACKNOWLEDGED_MS = 10_000;
const KEEP_ALIVE_AFTER_MS = 1000;
const CLOSE_WITHIN_MS = 1000;

/** A slow transaction sets its own limit per statement; this client then waits as long. */
const TRANSACTION_LIMIT = /^SET LOCAL statement_timeout = (\d+)$/;
const END_OF_TRANSACTION = /^(COMMIT|ROLLBACK)$/;

interface PostgresPoolOptions {
  log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
  };
  /** True: statements have no time limit. */
  isForCommand: boolean;
}

interface PostgresPool {
  pool: pg.Pool;
  /** Closes every connection, even if the server no longer answers. */
  close: () => Promise<void>;
}

/**
 * Opens a pool that cannot hang. A silent connection is destroyed, and its queries fail. If a probe
 * over a new connection also gets no answer, the pool refuses every request at once, instead of after
 * seconds, until a probe succeeds.
 */
export async function openPostgresPool(
  address: PostgresAddress,
  { log, isForCommand }: PostgresPoolOptions,
): Promise<PostgresPool> {
  const { default: driver } = await import('pg');
  const { connectionString, schema, maxConnections } = address;
  const config: pg.PoolConfig = {
    connectionString,
    application_name: 'latchkey',
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    ...(maxConnections !== null && { max: maxConnections }),
    // Raw SQL names no schema. Set only when needed, because poolers reject this option.
    ...(schema !== 'public' && { options: `-c search_path=${quoteName(schema)}` }),
  };
  // Set by statements, because PgBouncer refuses a connection with these in its start-up message.
  const settings = [
    `SET statement_timeout = ${isForCommand ? 0 : STATEMENT_WITHIN_MS}`,
    `SET idle_in_transaction_session_timeout = ${IDLE_IN_TRANSACTION_MS}`,
    `SET tcp_user_timeout = ${UNACKNOWLEDGED_MS}`,
  ].join('; ');
  const clients = new Set<pg.ClientBase>();
  const idle = new Set<pg.ClientBase>();
  let isSilent = false;
  let isProbing = false;
  let isClosed = false;

  const pool = new driver.Pool({
    ...config,
    // The driver awaits this promise, though its types do not say so.
    onConnect(client) {
      clients.add(client);
      if (!isForCommand) destroyWhenSilent(client, probeServer);
      return client.query(settings) as never;
    },
  });
  pool.on('acquire', (client) => idle.delete(client));
  pool.on('release', (_error, client) => idle.add(client));
  pool.on('remove', (client) => {
    clients.delete(client);
    idle.delete(client);
  });
  pool.on('error', (error) => {
    if (!isProbing && !isClosed) log.warn({ err: error }, 'PostgreSQL ended an idle connection');
  });

  const connect = pool.connect.bind(pool) as (callback?: ConnectCallback) => Promise<pg.PoolClient>;
  pool.connect = ((callback?: ConnectCallback) => {
    if (isSilent) return refuseConnection(callback);
    if (!callback) {
      return connect().catch((error: unknown) => {
        noteTimeout(error);
        throw error;
      });
    }
    return connect((error, client, release) => {
      noteTimeout(error);
      callback(error, client, release);
    });
  }) as typeof pool.connect;

  function noteTimeout(error: unknown) {
    if (error instanceof Error && CONNECT_TIMEOUT.test(error.message)) probeServer();
  }

  /** Probes the server. A busy process can mistake its own delay for silence, so only the probe decides. */
  function probeServer() {
    if (isProbing || isClosed) return;
    isProbing = true;
    // The idle connections may be dead for the same reason.
    for (const client of idle) destroySocket(client);
    void probe().finally(() => (isProbing = false));
  }

  async function probe() {
    while (!isClosed && !(await isAnswering())) {
      if (!isSilent) log.warn({}, 'PostgreSQL does not answer; requests are refused until it does');
      isSilent = true;
      await sleep(PROBE_EVERY_MS, undefined, { ref: false });
    }
    if (isSilent && !isClosed) log.info({}, 'PostgreSQL answers again');
    isSilent = false;
  }

  async function isAnswering(): Promise<boolean> {
    const client = new driver.Client({ ...config, connectionTimeoutMillis: PROBE_WITHIN_MS });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return true;
    } catch {
      return false;
    } finally {
      destroySocket(client);
    }
  }

  return {
    pool,
    async close() {
      isClosed = true;
      const ending = pool.end();
      const late = sleep(CLOSE_WITHIN_MS, undefined, { ref: false });
      await Promise.race([ending, late]);
      for (const client of clients) destroySocket(client);
      await ending;
    },
  };
}

type ConnectCallback = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  release: (error?: Error | boolean) => void,
) => void;

/** The driver's messages for a server that took too long to accept a connection. */
const CONNECT_TIMEOUT = /^(Connection terminated due to connection timeout|timeout expired)$/;

function refuseConnection(callback?: ConnectCallback): Promise<pg.PoolClient> | void {
  const error = new Error('timeout exceeded when trying to connect');
  if (!callback) return Promise.reject(error);
  process.nextTick(() => callback(error, undefined, () => undefined));
}

/** Destroys the socket: the driver's `end` would wait for the server. */
function destroySocket(client: pg.ClientBase): void {
  (
    client as unknown as { connection: { stream: { destroy(): void } } }
  ).connection.stream.destroy();
}

type AnyQuery = (...args: unknown[]) => unknown;

function destroyWhenSilent(client: pg.ClientBase, onSilence: () => void): void {
  const query = client.query.bind(client) as AnyQuery;
  let transactionLimitMs: number | null = null;
  const watch = (text: string) => {
    const [, limit] = TRANSACTION_LIMIT.exec(text) ?? [];
    if (limit) transactionLimitMs = Number(limit);
    if (END_OF_TRANSACTION.test(text)) transactionLimitMs = null;
    const limitMs =
      transactionLimitMs === null ? SILENT_AFTER_MS : transactionLimitMs + SILENT_AFTER_MS;
    const giveUp = () => {
      destroySocket(client);
      onSilence();
    };
    let timer = setTimeout(() => (timer = setTimeout(giveUp, FINAL_READ_MS)), limitMs);
    return () => clearTimeout(timer);
  };
  client.query = ((...args: unknown[]) => {
    const [statement] = args;
    const stop = watch(
      typeof statement === 'string' ? statement : (statement as pg.QueryConfig).text,
    );
    const callback = args.at(-1);
    if (typeof callback === 'function') {
      const answer = (...answers: unknown[]) => {
        stop();
        (callback as AnyQuery)(...answers);
      };
      return query(...args.slice(0, -1), answer);
    }
    const answer = query(...args) as Promise<unknown>;
    answer.then(stop, stop);
    return answer;
  }) as typeof client.query;
}
