import type { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3';
import type BetterSqlite3 from 'better-sqlite3';

type Adapter = Awaited<ReturnType<PrismaBetterSqlite3['connect']>>;
type Transaction = Awaited<ReturnType<Adapter['startTransaction']>>;

/** How long a statement waits for another process; the thread waits with it. */
const BUSY_TIMEOUT_MS = 5000;

/**
 * Prisma's adapter sets none of them. They hold for one connection, so each gets them anew. What is
 * deleted is overwritten: else an erased account would stay readable in the free pages of the file.
 */
const PRAGMAS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA foreign_keys = ON;
  PRAGMA secure_delete = ON;
  PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS};
`;

/**
 * Prisma's adapter for SQLite, with three things put right: the pragmas, who takes part in a
 * transaction, and what becomes of one that cannot be committed.
 *
 * All queries share one connection, and a transaction lets other code run between its statements.
 * Their statements would become part of it, and vanish with it when it is rolled back, after they
 * were reported as done. Here they wait until it has ended. Code inside `$transaction` must
 * therefore use the client that it is given: the outer one would wait for itself.
 *
 * @param onConnect is handed the driver's own connection, each time that there is a new one.
 */
export async function createSqliteAdapter(
  file: string,
  onConnect: (driver: BetterSqlite3.Database) => void = () => undefined,
): Promise<PrismaBetterSqlite3> {
  const { PrismaBetterSqlite3 } = await import('@prisma/adapter-better-sqlite3');
  const factory = new PrismaBetterSqlite3(
    { url: `file:${file}`, timeout: BUSY_TIMEOUT_MS },
    { timestampFormat: 'unixepoch-ms' },
  );
  const connect = factory.connect.bind(factory);
  factory.connect = async () => {
    const adapter = await connect();
    await adapter.executeScript(PRAGMAS);
    onConnect((adapter as unknown as { client: BetterSqlite3.Database }).client);
    return keepOutOfTransactions(adapter);
  };
  return factory;
}

function keepOutOfTransactions(adapter: Adapter): Adapter {
  const queryRaw = adapter.queryRaw.bind(adapter);
  const executeRaw = adapter.executeRaw.bind(adapter);
  const startTransaction = adapter.startTransaction.bind(adapter);
  let underWay: Promise<void> | null = null;

  // In each of them a loop: others may have waited for the same end, and one of them begun the
  // next transaction. Nothing may come between its last look and what follows.
  adapter.queryRaw = async (query) => {
    while (underWay) await underWay;
    return queryRaw(query);
  };
  adapter.executeRaw = async (query) => {
    while (underWay) await underWay;
    return executeRaw(query);
  };
  adapter.startTransaction = async (isolationLevel) => {
    while (underWay) await underWay;
    let end = () => {};
    underWay = new Promise((resolve) => {
      end = () => {
        underWay = null;
        resolve();
      };
    });
    try {
      return endingWith(await startTransaction(isolationLevel), end);
    } catch (error) {
      end();
      throw error;
    }
  };
  return adapter;
}

function endingWith(transaction: Transaction, end: () => void): Transaction {
  const commit = transaction.commit.bind(transaction);
  const rollback = transaction.rollback.bind(transaction);
  const executeRaw = transaction.executeRaw.bind(transaction);
  transaction.executeRaw = async (query) => {
    try {
      return await executeRaw(query);
    } catch (error) {
      // A COMMIT that fails (a full disk, a deferred foreign key) leaves the transaction open, and
      // Prisma does not end it: no other could ever begin. When SQLite rolled back by itself,
      // there is nothing left to roll back.
      if (query.sql === 'COMMIT') {
        await executeRaw({ ...query, sql: 'ROLLBACK' }).catch(() => undefined);
      }
      throw error;
    }
  };
  transaction.commit = () => commit().finally(end);
  transaction.rollback = () => rollback().finally(end);
  return transaction;
}
