import type { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3';
import type BetterSqlite3 from 'better-sqlite3';
import {
  BUSY_WAIT_MS,
  busyError,
  LOCK_WITHIN_MS,
  Turns,
  whenUnlocked,
} from './sqlite-busy.server.ts';

type Adapter = Awaited<ReturnType<PrismaBetterSqlite3['connect']>>;
type Transaction = Awaited<ReturnType<Adapter['startTransaction']>>;

/**
 * Prisma's adapter sets none of them. They hold for one connection, so each gets them anew. What is
 * deleted is overwritten: else an erased account would stay readable in the free pages of the file.
 */
const PRAGMAS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA foreign_keys = ON;
  PRAGMA secure_delete = ON;
  PRAGMA busy_timeout = ${BUSY_WAIT_MS};
`;

/**
 * Prisma's adapter for SQLite, with four things put right: the pragmas, who takes part in a
 * transaction, what becomes of one that cannot be committed, and who waits for a lock.
 *
 * All queries share one connection, and a transaction lets other code run between its statements.
 * Their statements would become part of it, and vanish with it when it is rolled back, after they
 * were reported as done. Here they wait until it has ended. Code inside `$transaction` must
 * therefore use the client that it is given: the outer one would wait for itself.
 *
 * SQLite waits for a lock of another process in the thread, and with it waits every other request,
 * `/healthz` too. Here a statement asks again and again instead, one write at a time, and the thread
 * is free meanwhile. A transaction takes the lock when it begins: it never fails for it in the middle.
 *
 * @param onConnect is handed the driver's own connection, each time that there is a new one.
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
    return createKeyedQueue(adapter);
  };
  return factory;
}

const READ = /^\s*SELECT\b/i;
const statement = (sql: string) => ({ sql, args: [], argTypes: [] });

function createKeyedQueue(adapter: Adapter): Adapter {
  const { provider, adapterName } = adapter;
  const queryRaw = adapter.queryRaw.bind(adapter);
  const executeRaw = adapter.executeRaw.bind(adapter);
  const writers = new Turns();
  let underWay: Promise<void> | null = null;
  const giveUp = () => performance.now() + LOCK_WITHIN_MS;

  const write = async <Answer>(run: () => Promise<Answer>): Promise<Answer> => {
    const giveUpAt = giveUp();
    const endTurn = await writers.take(giveUpAt);
    try {
      return await whenUnlocked(run, giveUpAt);
    } finally {
      endTurn();
    }
  };
  const read: Adapter['queryRaw'] = (query) => {
    const giveUpAt = giveUp();
    return whenUnlocked(async () => {
      // A loop: others may have waited for the same end, and one of them begun the next transaction.
      while (underWay) await endOf(underWay, giveUpAt);
      return queryRaw(query);
    }, giveUpAt);
  };

  adapter.queryRaw = (query) => (READ.test(query.sql) ? read(query) : write(() => queryRaw(query)));
  adapter.executeRaw = (query) => write(() => executeRaw(query));
  adapter.startTransaction = async () => {
    const giveUpAt = giveUp();
    const endTurn = await writers.take(giveUpAt);
    try {
      await whenUnlocked(() => executeRaw(statement('BEGIN IMMEDIATE')), giveUpAt);
    } catch (error) {
      endTurn();
      throw error;
    }
    let end = () => {};
    underWay = new Promise((resolve) => {
      end = () => {
        end = () => {};
        underWay = null;
        endTurn();
        resolve();
      };
    });
    return endingWith({ provider, adapterName, queryRaw, executeRaw }, () => end());
  };
  return adapter;
}

/** @throws the error of a locked file when it has not come by then. */
async function endOf(transaction: Promise<void>, giveUpAt: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(busyError()), giveUpAt - performance.now());
  });
  try {
    await Promise.race([transaction, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * A transaction that has begun on the connection. Prisma ends it by a statement and then says so.
 */
function endingWith(
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
        // A COMMIT that fails (a full disk, a deferred foreign key) leaves the transaction open, and
        // Prisma does not end it: no other could ever begin. When SQLite rolled back by itself,
        // there is nothing left to roll back.
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
