import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { quoteName, type DatabaseAddress } from './address.server.ts';

type PostgresAddress = Extract<DatabaseAddress, { provider: 'postgresql' }>;

/**
 * A request waits for a free connection, then for its statement: together less than five seconds. The
 * server ends a statement first and says so; a connection that says nothing for longer is dead.
 */
const CONNECT_WITHIN_MS = 2000;
const STATEMENT_WITHIN_MS = 2000;
const SILENT_AFTER_MS = STATEMENT_WITHIN_MS + 500;
/** A process that was stopped reads what arrived meanwhile before it calls a connection silent. */
const LAST_LOOK_MS = 100;
const PROBE_WITHIN_MS = 1000;
const PROBE_EVERY_MS = 250;
/** The server ends what a process that vanished left open, and its locks with it. */
const IDLE_IN_TRANSACTION_MS = 30_000;
const UNACKNOWLEDGED_MS = 10_000;
const KEEP_ALIVE_AFTER_MS = 1000;
const CLOSE_WITHIN_MS = 1000;

/** A transaction that takes its time says how long a statement of it may take, and this side waits as long. */
const OWN_LIMIT = /^SET LOCAL statement_timeout = (\d+)$/;
const END_OF_TRANSACTION = /^(COMMIT|ROLLBACK)$/;

export interface PostgresPoolOptions {
  log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
  };
  /** True: statements may take as long as they take. */
  isForCommand: boolean;
}

export interface PostgresPool {
  pool: pg.Pool;
  /** Ends every connection, also one to a server that no longer answers. */
  close: () => Promise<void>;
}

/**
 * Opens a pool that cannot hang. A connection that stays silent is destroyed, and what waits for it
 * fails. If a probe over a new connection gets no answer either, no caller gets a connection until one
 * does: each request is refused at once instead of after seconds.
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
    // Statements written by hand name no schema. Poolers do not take this, so only when needed.
    ...(schema !== 'public' && { options: `-c search_path=${quoteName(schema)}` }),
  };
  // By statements, not in the start-up message: PgBouncer refuses a connection that brings them there.
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
    // Awaited by the driver, though its types do not say so.
    onConnect(client) {
      clients.add(client);
      if (!isForCommand) destroyWhenSilent(client, suspect);
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
    if (isSilent) return refuse(callback);
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
    if (error instanceof Error && CONNECT_TIMEOUT.test(error.message)) suspect();
  }

  /** A process without time takes its own delay for silence: only a probe that fails as well counts. */
  function suspect() {
    if (isProbing || isClosed) return;
    isProbing = true;
    // Whatever silenced one connection may have silenced those, too.
    for (const client of idle) destroy(client);
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
      destroy(client);
    }
  }

  return {
    pool,
    async close() {
      isClosed = true;
      const ending = pool.end();
      const late = sleep(CLOSE_WITHIN_MS, undefined, { ref: false });
      await Promise.race([ending, late]);
      for (const client of clients) destroy(client);
      await ending;
    },
  };
}

type ConnectCallback = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  release: (error?: Error | boolean) => void,
) => void;

/** What the driver says when a server took too long to accept a connection. */
const CONNECT_TIMEOUT = /^(Connection terminated due to connection timeout|timeout expired)$/;

function refuse(callback?: ConnectCallback): Promise<pg.PoolClient> | void {
  const error = new Error('timeout exceeded when trying to connect');
  if (!callback) return Promise.reject(error);
  process.nextTick(() => callback(error, undefined, () => undefined));
}

/** The socket; the driver's own `end` would wait for the server's word. */
function destroy(client: pg.ClientBase): void {
  (
    client as unknown as { connection: { stream: { destroy(): void } } }
  ).connection.stream.destroy();
}

type AnyQuery = (...args: unknown[]) => unknown;

function destroyWhenSilent(client: pg.ClientBase, onSilence: () => void): void {
  const query = client.query.bind(client) as AnyQuery;
  let ownLimitMs: number | null = null;
  const watch = (text: string) => {
    const [, ownLimit] = OWN_LIMIT.exec(text) ?? [];
    if (ownLimit) ownLimitMs = Number(ownLimit);
    if (END_OF_TRANSACTION.test(text)) ownLimitMs = null;
    const limitMs = ownLimitMs === null ? SILENT_AFTER_MS : ownLimitMs + SILENT_AFTER_MS;
    const giveUp = () => {
      destroy(client);
      onSilence();
    };
    let timer = setTimeout(() => (timer = setTimeout(giveUp, LAST_LOOK_MS)), limitMs);
    return () => clearTimeout(timer);
  };
  client.query = ((...args: unknown[]) => {
    const [asked] = args;
    const stop = watch(typeof asked === 'string' ? asked : (asked as pg.QueryConfig).text);
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
