import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../../app/database/database.server.ts';
import { DAY_MS, MINUTE_MS } from '../../app/sessions/session.ts';
import { Sessions } from '../../app/sessions/sessions.ts';
import { memorySessionStore } from '../../app/sessions/stores/memory.ts';
import { prismaSessionStore, type PrismaRawClient } from '../../app/sessions/stores/prisma.ts';
import { sharedPostgres } from '../fixtures/postgres.ts';
import { newSqliteAddress, openStore, removeSqlite } from './open-store.ts';
import { startRedis } from '../fixtures/redis.ts';
import { aRecord, after } from './store-contract.ts';

/** Number of sessions in the database; default 60,000 (for example LATCHKEY_EXHAUSTION_ROWS=1000000). */
const ROWS = Number(process.env.LATCHKEY_EXHAUSTION_ROWS ?? 60_000);
/** Number of live sessions of one user among them. */
const HEAVY_ROWS = 10_000;
const MAX_MS = 10 * MINUTE_MS;

const NOW = new Date('2026-05-01T12:00:00.000Z');
const HEAVY = 'heavy';

/** A statement that the store sent, and its result. */
interface Sent {
  sql: string;
  values: unknown[];
  /** Number of rows that were returned or changed. */
  rows: number;
  tookMs: number;
}

/** Fills PostgreSQL without the application's pool, which ends a statement that takes two seconds. */
async function fillDatabase(
  provider: Database['provider'],
  databaseUrl: string,
  raw: PrismaRawClient,
): Promise<void> {
  const statements = fill[provider](NOW.getTime());
  if (provider === 'sqlite') {
    for (const sql of statements) await raw.$executeRawUnsafe(sql);
    return;
  }
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    for (const sql of statements) await client.query(sql);
  } finally {
    await client.end();
  }
}

function countStatements(client: PrismaRawClient) {
  const sent: Sent[] = [];
  const timed = async <Answer>(sql: string, values: unknown[], run: () => Promise<Answer>) => {
    const startedAtMs = performance.now();
    const answer = await run();
    const rows = Array.isArray(answer) ? answer.length : Number(answer);
    sent.push({ sql, values, rows, tookMs: performance.now() - startedAtMs });
    return answer;
  };
  const counted: PrismaRawClient = {
    $queryRawUnsafe: <Rows>(sql: string, ...values: unknown[]) =>
      timed(sql, values, () => client.$queryRawUnsafe<Rows>(sql, ...values)),
    $executeRawUnsafe: (sql, ...values) =>
      timed(sql, values, () => client.$executeRawUnsafe(sql, ...values)),
  };
  return { client: counted, sent, takeSent: () => sent.splice(0) };
}

/** Starts a process that measures for how long at a time the database is locked. */
async function watchLock(url: string) {
  const program = new URL('./lock-watch.ts', import.meta.url).pathname;
  const file = url.replace(/^file:/, '');
  const child = spawn(process.execPath, ['--import', 'tsx', program, file], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  return async () => {
    child.stdin.end();
    return JSON.parse(String((await lines.next()).value)) as { checks: number; heldMs: number[] };
  };
}

function spread(times: number[]): string {
  const sorted = [...times].sort((one, other) => one - other);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]?.toFixed(1);
  return `${at(0.5)} ms at the median, ${at(0.99)} at the 99th percentile, ${at(1)} at most`;
}

const sqlite = newSqliteAddress();
const postgres = await sharedPostgres();
const redis = await startRedis();

afterAll(async () => {
  removeSqlite(sqlite);
  await redis.close();
});

// A tenth of the other users' rows is live. Of the rest, half expired and half was revoked, over the last
// weeks. Every hundredth ended before the retention period.
const COLUMNS = `"id", "secretHash", "userId", "userAgent", "ipAddress", "remember", "createdAt",
  "lastSeenAt", "expiresAt", "reauthenticatedAt", "revokedAt", "revokedReason"`;
const fill = {
  sqlite: (nowMs: number) => [
    `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1999)
     INSERT INTO "User" ("id", "email", "name", "updatedAt") SELECT 'user' || i, 'user' || i || '@example.com', 'x', ${nowMs} FROM n`,
    `INSERT INTO "User" ("id", "email", "name", "updatedAt") VALUES ('${HEAVY}', 'heavy@example.com', 'x', ${nowMs})`,
    `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS - 1})
     INSERT INTO "Session" (${COLUMNS})
     SELECT lower(hex(randomblob(11))), lower(hex(randomblob(22))),
       CASE WHEN i < ${HEAVY_ROWS} THEN '${HEAVY}' ELSE 'user' || (i % 2000) END, 'Agent', '192.0.2.1', i % 2,
       ${nowMs} - i * 1000 / 100 - 3600000, ${nowMs} - i * 10,
       CASE WHEN i < ${HEAVY_ROWS} OR i % 10 = 0 THEN ${nowMs} + 3600000 + i WHEN i % 100 = 1 THEN ${nowMs} - 3456000000 - i ELSE ${nowMs} - i * 10 END,
       ${nowMs} - i * 10,
       CASE WHEN i >= ${HEAVY_ROWS} AND i % 10 > 5 THEN ${nowMs} - i * 11 END,
       CASE WHEN i >= ${HEAVY_ROWS} AND i % 10 > 5 THEN 'signed-out' END
     FROM n`,
    // No ANALYZE, because the application does not run it on SQLite.
  ],
  postgresql: (nowMs: number) => {
    const time = (ms: string) => `timestamp '1970-01-01' + (${ms}) * interval '1 millisecond'`;
    return [
      `INSERT INTO "User" ("id", "email", "name", "updatedAt")
       SELECT 'user' || i, 'user' || i || '@example.com', 'x', ${time(String(nowMs))} FROM generate_series(0, 1999) i`,
      `INSERT INTO "User" ("id", "email", "name", "updatedAt") VALUES ('${HEAVY}', 'heavy@example.com', 'x', ${time(String(nowMs))})`,
      `INSERT INTO "Session" (${COLUMNS})
       SELECT substr(md5(i::text), 1, 22), md5('s' || i),
         CASE WHEN i < ${HEAVY_ROWS} THEN '${HEAVY}' ELSE 'user' || (i % 2000) END, 'Agent', '192.0.2.1', i % 2 = 1,
         ${time(`${nowMs} - i * 10.0 - 3600000`)}, ${time(`${nowMs} - i * 10.0`)},
         CASE WHEN i < ${HEAVY_ROWS} OR i % 10 = 0 THEN ${time(`${nowMs} + 3600000 + i`)} WHEN i % 100 = 1 THEN ${time(`${nowMs} - 3456000000 - i`)} ELSE ${time(`${nowMs} - i * 10.0`)} END,
         ${time(`${nowMs} - i * 10.0`)},
         CASE WHEN i >= ${HEAVY_ROWS} AND i % 10 > 5 THEN ${time(`${nowMs} - i * 11.0`)} END,
         CASE WHEN i >= ${HEAVY_ROWS} AND i % 10 > 5 THEN 'signed-out' END
       FROM generate_series(0::bigint, ${ROWS - 1}) i`,
      'ANALYZE',
    ];
  },
};

describe.each([
  ['sqlite', async () => sqlite.url],
  ['postgresql', () => postgres.createDatabase()],
] as const)(`${ROWS} sessions on %s`, (provider, makeUrl) => {
  let database: Database;
  let raw: PrismaRawClient;
  let sent: ReturnType<typeof countStatements>;
  let sessions: Sessions;

  beforeAll(async () => {
    const log = { info: () => undefined, warn: () => undefined };
    const databaseUrl = await makeUrl();
    database = await openDatabase({ databaseUrl, log });
    raw = database.client;
    await fillDatabase(provider, databaseUrl, raw);
    sent = countStatements(raw);
    sessions = new Sessions({ store: prismaSessionStore({ client: sent.client, provider }) });
  }, MAX_MS);
  afterAll(() => database.close());

  /** Returns the query plan of a statement. */
  const planOf = async ({ sql, values }: Sent) => {
    const how = provider === 'sqlite' ? 'EXPLAIN QUERY PLAN' : 'EXPLAIN';
    const rows = await raw.$queryRawUnsafe<Record<string, string>[]>(`${how} ${sql}`, ...values);
    return rows.map((row) => row.detail ?? row['QUERY PLAN']).join('\n');
  };
  const expectIndexes = async (statements: Sent[]) => {
    for (const statement of statements) {
      const plan = await planOf(statement);
      // The plan of a full table scan has SCAN on SQLite and Seq Scan on PostgreSQL.
      expect(plan).not.toMatch(/SCAN "?Session|SCAN s\b|Seq Scan on "Session"/);
      expect(plan).toMatch(/USING (COVERING )?INDEX|Index( Only)? Scan|Bitmap Index Scan/);
      // These use an index, but would read every session that is not revoked.
      expect(plan).not.toMatch(/\(revokedAt=\?|Index Cond: \("revokedAt" IS NULL\)/);
    }
  };

  test('a page of the list is one statement that reads only a page, also of ended sessions', async () => {
    for (const userId of [HEAVY, 'user7']) {
      await sessions.list(userId, NOW, { limit: 20 });
      await sessions.list(userId, NOW, { limit: 20, endedLimit: 10 });
      const statements = sent.takeSent();
      expect(statements.map(({ rows }) => rows <= 21 + 2 * 10)).toEqual([true, true]);
      await expectIndexes(statements);
    }
  });

  test('the pages of a user with 10,000 sessions have each session once', async () => {
    const seen = new Set<string>();
    let next: { lastSeenAt: Date; id: string } | null = null;
    do {
      const page = await sessions.list(HEAVY, NOW, { limit: 250, after: next });
      for (const { id } of page.live) seen.add(id);
      next = page.next;
    } while (next);
    const statements = sent.takeSent();
    expect([seen.size, statements.length]).toEqual([HEAVY_ROWS, HEAVY_ROWS / 250]);
    expect(Math.max(...statements.map(({ rows }) => rows))).toBe(251);
    await expectIndexes(statements.slice(-1));
  });

  test('listAll reads only a page of all sessions at a time', async () => {
    const first = await sessions.listAll(null, 100);
    const second = await sessions.listAll(first.next, 100);
    expect(new Set([...first.sessions, ...second.sessions].map(({ id }) => id)).size).toBe(200);
    const statements = sent.takeSent();
    expect(statements.map(({ rows }) => rows)).toEqual([101, 101]);
    await expectIndexes(statements);
  });

  test('start, resume, renew, name and revoke read one row at most, at any number of sessions', async () => {
    const { token, session } = await sessions.start({ userId: 'user9' }, NOW);
    await sessions.resume(token, new Date(NOW.getTime() + MINUTE_MS));
    await sessions.renew(token, NOW);
    await sessions.name(session.id, 'user9', 'name');
    await sessions.revoke(session.id, { reason: 'signed-out', userId: 'user9' }, NOW);
    const statements = sent.takeSent();
    for (const { rows } of statements) expect(rows).toBeLessThanOrEqual(1);
    await expectIndexes(statements.slice(1));
  });

  test('revokeOthers ends 10,000 sessions by one statement', async () => {
    const { live } = await sessions.list(HEAVY, NOW, { limit: 1 });
    sent.takeSent();
    const ended = await sessions.revokeOthers(
      HEAVY,
      live[0]!.id,
      { reason: 'signed-out-elsewhere' },
      NOW,
    );
    const statements = sent.takeSent();
    expect([ended.length, statements.length]).toEqual([HEAVY_ROWS - 1, 1]);
    await expectIndexes(statements);
    console.log(
      `${provider}: ${ended.length} sessions ended in ${statements[0]!.tookMs.toFixed(0)} ms`,
    );
    expect((await sessions.list(HEAVY, NOW)).live).toHaveLength(1);
    // With 10,000 ended sessions, a page of the list is just as short.
    sent.takeSent();
    await sessions.list(HEAVY, NOW, { limit: 20, endedLimit: 10 });
    expect(sent.takeSent().map(({ rows }) => rows)).toEqual([11]);
  });

  test(
    'a prune deletes in batches, allows other writes between them, and leaves newer sessions',
    async () => {
      const count = async () =>
        Number(
          (await raw.$queryRawUnsafe<{ n: bigint }[]>('SELECT count(*) AS n FROM "Session"'))[0]!.n,
        );
      const before = await count();
      // One row expired every 10 ms, so this leaves the newest three quarters.
      const later = new Date(NOW.getTime() + 30 * DAY_MS - ROWS * 7.5);
      let written = 0;
      const pruning = { isDone: false };
      const writing = (async () => {
        while (!pruning.isDone) {
          await raw.$executeRawUnsafe(`UPDATE "User" SET "name" = 'y' WHERE "id" = 'user1'`);
          written += 1;
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      })();
      const watch = provider === 'sqlite' ? await watchLock(sqlite.url) : null;
      const startedAtMs = performance.now();
      const deleted = await sessions.prune(later);
      const tookMs = performance.now() - startedAtMs;
      pruning.isDone = true;
      await writing;
      const lock = await watch?.();

      const batches = sent.takeSent();
      expect(deleted).toBeGreaterThan(before / 8);
      expect(await count()).toBe(before - deleted);
      expect(Math.max(...batches.map(({ rows }) => rows))).toBeLessThanOrEqual(100);
      expect(batches.length).toBeGreaterThan(deleted / 100);
      expect(written).toBeGreaterThan(0);
      await expectIndexes(batches.slice(-1));
      console.log(
        `${provider}: pruned ${deleted} rows in ${batches.length} batches, ${(tookMs / 1000).toFixed(1)} s, ${written} writes in between; ` +
          `a batch took ${spread(batches.map((batch) => batch.tookMs))}${
            lock ? `; another process found the lock held for ${spread(lock.heldMs)}` : ''
          }`,
      );
    },
    MAX_MS,
  );
});

test('two nodes that prune PostgreSQL concurrently delete every row once', async () => {
  const address = { kind: 'postgresql', url: await postgres.createDatabase() } as const;
  const [one, other] = await Promise.all([openStore(address), openStore(address)]);
  await one.addUser('user-1');
  await Promise.all(
    Array.from({ length: 600 }, () => one.store.saveSession(aRecord({ expiresAt: after(1) }))),
  );
  const deleted = await Promise.all(
    [one, other, one, other].map(({ store }) => store.deleteAllExpiredSessions!(after(2))),
  );
  expect(deleted.reduce((sum, each) => sum + each)).toBe(600);
  await one.close();
  await other.close();
});

test('a prune on PostgreSQL does nothing while another node prunes', async () => {
  const address = { kind: 'postgresql', url: await postgres.createDatabase() } as const;
  const open = await openStore(address);
  await open.addUser('user-1');
  await open.store.saveSession(aRecord({ expiresAt: after(1) }));
  const log = { info: () => undefined, warn: () => undefined };
  const { client, ...other } = await openDatabase({ databaseUrl: address.url, log });
  await client.$transaction(async (inside) => {
    await inside.$queryRawUnsafe('SELECT pg_advisory_xact_lock(7304118206)::text');
    expect(await open.store.deleteAllExpiredSessions!(after(2))).toBe(0);
  });
  expect(await open.store.deleteAllExpiredSessions!(after(2))).toBe(1);
  await other.close();
  await open.close();
});

test(
  'Redis lists 10,000 sessions of one user page by page and ends them by one command',
  async () => {
    const open = await openStore({ kind: 'redis', url: redis.url });
    const sessions = new Sessions({ store: open.store });
    for (let index = 0; index < HEAVY_ROWS; index += 500) {
      await Promise.all(
        Array.from({ length: 500 }, (_none, inBatch) =>
          open.store.saveSession(aRecord({ userId: HEAVY, lastSeenAt: after(index + inBatch) })),
        ),
      );
    }
    const seen = new Set<string>();
    let next: { lastSeenAt: Date; id: string } | null = null;
    do {
      const page = await sessions.list(HEAVY, after(1), { limit: 500, after: next });
      for (const { id } of page.live) seen.add(id);
      next = page.next;
    } while (next);
    expect(seen.size).toBe(HEAVY_ROWS);
    const startedAtMs = performance.now();
    const ended = await sessions.revokeOthers(
      HEAVY,
      [...seen][0]!,
      { reason: 'signed-out-elsewhere' },
      after(1),
    );
    const tookMs = performance.now() - startedAtMs;
    expect(ended).toHaveLength(HEAVY_ROWS - 1);
    console.log(`redis: ${ended.length} sessions ended in ${tookMs.toFixed(0)} ms`);
    const { live, ended: tombstones } = await sessions.list(HEAVY, after(2), { endedLimit: 10 });
    expect([live.length, tombstones.length]).toEqual([1, 10]);
    await open.close();
  },
  MAX_MS,
);

test('the memory store lists one of 5,000 users, and pages of all sessions', async () => {
  const store = memorySessionStore();
  const sessions = new Sessions({ store });
  for (let index = 0; index < 50_000; index += 1) {
    await store.saveSession(aRecord({ userId: `user${index % 5000}` }));
  }
  expect((await sessions.list('user7', after(1))).live).toHaveLength(10);
  let pages = 0;
  for (let next: string | null = null, isFirst = true; isFirst || next; isFirst = false) {
    const page = await sessions.listAll(next, 1000);
    next = page.next;
    pages += 1;
  }
  expect(pages).toBe(50);
});
