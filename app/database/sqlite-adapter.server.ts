import type { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3';
import type BetterSqlite3 from 'better-sqlite3';
import {
  BUSY_WAIT_MS,
  createBusyError,
  LOCK_WITHIN_MS,
  WriteQueue,
  retryWhileBusy,
} from './sqlite-busy.server.ts';

type Adapter = Awaited<ReturnType<PrismaBetterSqlite3['connect']>>;
type Transaction = Awaited<ReturnType<Adapter['startTransaction']>>;

/**
 * Set on every new connection, because Prisma's adapter sets none of them. `secure_delete` overwrites
 * deleted rows: otherwise an erased account would stay readable in the free pages of the file.
 */
const PRAGMAS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA foreign_keys = ON;
  PRAGMA secure_delete = ON;
  PRAGMA busy_timeout = ${BUSY_WAIT_MS};
`;

/**
 * Creates Prisma's adapter for SQLite, with four corrections: the pragmas, isolation of transactions,
 * failed commits, and waiting for locks.
 *
 * All queries share one connection, and other code runs between the statements of a transaction. Its
 * statements would become part of the transaction, and a rollback would undo them after they were
 * reported as done. Here they wait until the transaction has ended. Code inside `$transaction` must
 * therefore use the client that it receives: with the outer client it would wait for itself.
 *
 * SQLite blocks the thread while it waits for a lock of another process, and with it every request,
 * `/healthz` included. Here a statement retries instead, one write at a time, and leaves the thread
 * free. A transaction takes the write lock when it begins, so it never fails on the lock halfway.
 *
 * @param onConnect called with the driver's own connection whenever there is a new one.
 */
export async function createSqliteAdapter(
  file: string,
  onConnect: (driver: BetterSqlite3.Database) => void = () => undefined,
): Promise<PrismaBetterSqlite3> {
  const { PrismaBetterSqlite3 } = await import('@prisma/adapter-better-sqlite3');
  const factory = new PrismaBetterSqlite3(
    { url: `file:${file}`, timeout: BUSY_WAIT_MS },
    { timestampFormat: 'unixepoch-ms' },
  );
  const connect = factory.connect.bind(factory);
  factory.connect = async () => {
    const adapter = await connect();
    await adapter.executeScript(PRAGMAS);
    onConnect((adapter as unknown as { client: BetterSqlite3.Database }).client);
    return serializeWrites(adapter);
  };
  return factory;
}

const READ = /^\s*SELECT\b/i;
const statement = (sql: string) => ({ sql, args: [], argTypes: [] });

function serializeWrites(adapter: Adapter): Adapter {
  const { provider, adapterName } = adapter;
  const queryRaw = adapter.queryRaw.bind(adapter);
  const executeRaw = adapter.executeRaw.bind(adapter);
  const writeQueue = new WriteQueue();
  let activeTransaction: Promise<void> | null = null;
  const deadline = () => performance.now() + LOCK_WITHIN_MS;

  const write = async <Answer>(run: () => Promise<Answer>): Promise<Answer> => {
    const giveUpAt = deadline();
    const leaveQueue = await writeQueue.enter(giveUpAt);
    try {
      return await retryWhileBusy(run, giveUpAt);
    } finally {
      leaveQueue();
    }
  };
  const read: Adapter['queryRaw'] = (query) => {
    const giveUpAt = deadline();
    return retryWhileBusy(async () => {
      // A loop, because another waiter may have begun the next transaction.
      while (activeTransaction) await waitForEnd(activeTransaction, giveUpAt);
      return queryRaw(query);
    }, giveUpAt);
  };

  adapter.queryRaw = (query) => (READ.test(query.sql) ? read(query) : write(() => queryRaw(query)));
  adapter.executeRaw = (query) => write(() => executeRaw(query));
  adapter.startTransaction = async () => {
    const giveUpAt = deadline();
    const leaveQueue = await writeQueue.enter(giveUpAt);
    try {
      await retryWhileBusy(() => executeRaw(statement('BEGIN IMMEDIATE')), giveUpAt);
    } catch (error) {
      leaveQueue();
      throw error;
    }
    let end = () => {};
    activeTransaction = new Promise((resolve) => {
      end = () => {
        end = () => {};
        activeTransaction = null;
        leaveQueue();
        resolve();
      };
    });
    return toTransaction({ provider, adapterName, queryRaw, executeRaw }, () => end());
  };
  return adapter;
}

/** Waits until a transaction has ended. @throws {@link createBusyError} at `giveUpAt`. */
async function waitForEnd(transaction: Promise<void>, giveUpAt: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(createBusyError()), giveUpAt - performance.now());
  });
  try {
    await Promise.race([transaction, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Returns the Prisma transaction that has begun on the connection. Prisma ends it with a statement, and
 * then calls `commit` or `rollback`.
 */
function toTransaction(
  {
    provider,
    adapterName,
    queryRaw,
    executeRaw,
  }: Pick<Adapter, 'provider' | 'adapterName' | 'queryRaw' | 'executeRaw'>,
  end: () => void,
): Transaction {
  const run = async (sql: string) => {
    await executeRaw(statement(sql));
  };
  const done = () => {
    end();
    return Promise.resolve();
  };
  return {
    provider,
    adapterName,
    options: { usePhantomQuery: false },
    queryRaw,
    async executeRaw(query) {
      try {
        return await executeRaw(query);
      } catch (error) {
        // A failed COMMIT (a full disk, a deferred foreign key) leaves the transaction open, and Prisma
        // does not end it, so no other could ever begin. If SQLite has already rolled back, this
        // ROLLBACK fails, and the error is ignored.
        if (query.sql === 'COMMIT') await run('ROLLBACK').catch(() => undefined);
        throw error;
      }
    },
    commit: done,
    rollback: done,
    createSavepoint: (name) => run(`SAVEPOINT ${name}`),
    rollbackToSavepoint: (name) => run(`ROLLBACK TO ${name}`),
    releaseSavepoint: (name) => run(`RELEASE SAVEPOINT ${name}`),
  };
}
