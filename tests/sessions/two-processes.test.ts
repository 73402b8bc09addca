import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Sessions } from '../../app/sessions/sessions.ts';
import { sharedPostgres } from '../fixtures/postgres.ts';
import { startRedis } from '../fixtures/redis.ts';
import {
  newSqliteAddress,
  openStore,
  removeSqlite,
  type OpenStore,
  type StoreAddress,
} from './open-store.ts';
import type { Work, WorkResult } from './other-process.ts';

const NOW = new Date('2026-05-01T12:00:00.000Z');
const USER = 'user-1';

interface OtherProcess {
  perform(work: Work): Promise<WorkResult>;
  end(): Promise<void>;
}

async function startProcess(address: StoreAddress): Promise<OtherProcess> {
  const program = new URL('./other-process.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, ['--import', 'tsx', program, JSON.stringify(address)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('The other process exited early.');
    return value;
  };
  await nextLine();
  return {
    async perform(work) {
      child.stdin.write(`${JSON.stringify(work)}\n`);
      return JSON.parse(await nextLine()) as WorkResult;
    },
    async end() {
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}

const sqlite = newSqliteAddress();
const postgres = await sharedPostgres();
const redis = await startRedis();

afterAll(async () => {
  removeSqlite(sqlite);
  await redis.close();
});

const addresses: [string, () => Promise<StoreAddress>][] = [
  ['SQLite', async () => sqlite],
  ['PostgreSQL', async () => ({ kind: 'postgresql', url: await postgres.createDatabase() })],
  ['Redis', async () => ({ kind: 'redis', url: redis.url })],
];

describe.each(addresses)('two processes over one %s', (_name, address) => {
  let open: OpenStore;
  let sessions: Sessions;
  let one: OtherProcess;
  let other: OtherProcess;

  beforeAll(async () => {
    const opened = await address();
    open = await openStore(opened);
    await open.addUser(USER);
    sessions = new Sessions({ store: open.store });
    [one, other] = await Promise.all([startProcess(opened), startProcess(opened)]);
  });
  afterAll(async () => {
    await one.end();
    await other.end();
    await open.close();
  });

  const start = (count: number, now = NOW) =>
    Promise.all(Array.from({ length: count }, () => sessions.start({ userId: USER }, now)));
  const liveOf = async (tokens: string[], now: Date) => {
    const resumed = await Promise.all(tokens.map((token) => sessions.resume(token, now)));
    return resumed.filter(({ state }) => state === 'live').length;
  };

  test('two processes that end the same 40 sessions each return only those that they ended', async () => {
    const ids = (await start(40)).map(({ session }) => session.id);
    const work = { nowMs: NOW.getTime() + 1, revoke: ids };
    const [first, second] = await Promise.all([one.perform(work), other.perform(work)]);
    expect([...first.revoked, ...second.revoked].sort()).toEqual(ids.sort());
  });

  test('a session that one process ends while another renews it ends under every token', async () => {
    for (let round = 0; round < 3; round += 1) {
      const tokens = (await start(15)).map(({ token }) => token);
      const nowMs = NOW.getTime() + 1;
      const [used] = await Promise.all([
        one.perform({ nowMs, useAndRenew: { tokens, times: 10 } }),
        other.perform({ nowMs, revokeAllOf: { userId: USER, reason: 'password-changed' } }),
      ]);
      expect(await liveOf([...tokens, ...used.renewed], new Date(nowMs))).toBe(0);
    }
  });

  test('the cap applies to the sessions of both processes together', async () => {
    const work = {
      nowMs: NOW.getTime() + 2,
      maxPerUser: 5,
      start: Array.from({ length: 15 }, () => ({ userId: USER })),
    };
    const results = await Promise.all([one.perform(work), other.perform(work)]);
    const tokens = results.flatMap(({ started }) => started);
    expect(tokens).toHaveLength(30);
    expect(await liveOf(tokens, new Date(work.nowMs))).toBe(5);
  });
});
