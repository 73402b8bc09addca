import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  CODE_LIFETIME_MS,
  createMailedCodes,
  type CodePurpose,
  type MailedCodes,
} from '#app/credentials/mailed-codes/mailed-codes.server.ts';
import { openDatabase, type Database } from '#app/database/database.server.ts';
import { createKeyring } from '#app/config/keyring.server.ts';
import { wrongCodeFor } from '../../fixtures/wrong-code.ts';

const NOW = new Date('2026-11-21T12:00:00.000Z');
const DAY_MS = 86_400_000;
const after = (ms: number) => new Date(NOW.getTime() + ms);
const twentyTimes = <Result>(act: () => Promise<Result>) =>
  Promise.all(Array.from({ length: 20 }, act));

let folder: string;
let database: Database;
let codes: MailedCodes;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-codes-'));
  const log = { info: () => undefined, warn: () => undefined };
  database = await openDatabase({ databaseUrl: `file:${join(folder, 'test.db')}`, log });
  const keyring = createKeyring([{ id: 'test', secret: Buffer.alloc(32, 1) }]);
  codes = createMailedCodes({ db: database.client, keyring });
});
afterAll(async () => {
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await database.client.user.deleteMany();
  await database.client.mailedCode.deleteMany();
  await database.client.user.create({ data: { id: 'ada', email: 'ada@example.com', name: 'Ada' } });
});

const about = (purpose: CodePurpose = 'password-reset') => ({
  purpose,
  userId: 'ada',
  email: 'ada@example.com',
});
/** Issues a code, and returns it with the key of the browser that asked for it. */
const issue = async (purpose: CodePurpose = 'password-reset') => {
  const { id, browserKey, code } = await codes.issue(about(purpose), NOW);
  return { id, browserKey, purpose, code: code! };
};
const statesOf = (answers: { state: string }[], state: string) =>
  answers.filter((answer) => answer.state === state);

describe('a code', () => {
  test('a code can be redeemed once', async () => {
    const tried = await issue();
    expect(await codes.redeem(tried, NOW)).toMatchObject({ state: 'right', userId: 'ada' });
    expect(await codes.redeem(tried, NOW)).toEqual({ state: 'over' });
  });

  test('only one of twenty concurrent requests can redeem a code', async () => {
    const tried = await issue();
    const answers = await twentyTimes(() => codes.redeem(tried, NOW));
    expect(statesOf(answers, 'right')).toHaveLength(1);
  });

  test('a code allows five attempts, even for twenty concurrent requests', async () => {
    const tried = await issue();
    const answers = await twentyTimes(() =>
      codes.redeem({ ...tried, code: wrongCodeFor(tried.code) }, NOW),
    );
    expect(statesOf(answers, 'wrong')).toHaveLength(5);
    expect(await codes.redeem(tried, NOW)).toEqual({ state: 'over' });
  });

  test('a code is wrong without the key of the browser that asked for it', async () => {
    const [tried, other] = [await issue(), await issue()];
    for (const browserKey of [other.browserKey, '']) {
      expect((await codes.redeem({ ...tried, browserKey }, NOW)).state).toBe('wrong');
    }
    expect((await codes.redeem(tried, NOW)).state).toBe('right');
  });

  test('a code works for its own purpose only, and other purposes use up no attempt', async () => {
    const tried = await issue();
    for (let times = 0; times < 6; times += 1) {
      const answer = await codes.redeem({ ...tried, purpose: 'email-change' }, NOW);
      expect(answer).toEqual({ state: 'over' });
    }
    expect((await codes.redeem(tried, NOW)).state).toBe('right');
  });

  test('a code cannot be redeemed as a link key', async () => {
    const { id, code, purpose } = await issue();
    expect(await codes.redeemLinkKey(purpose, `${id}.${code}`, NOW)).toEqual({ state: 'over' });
  });
});

describe('a replacement code', () => {
  test('a replacement invalidates the first code, and has its own attempts and expiry', async () => {
    const tried = await issue();
    for (let times = 0; times < 5; times += 1) {
      await codes.redeem({ ...tried, code: wrongCodeFor(tried.code) }, NOW);
    }
    const later = after(CODE_LIFETIME_MS);
    const again = await codes.replaceCode(tried, later);
    expect(again).toMatchObject({ userId: 'ada', email: 'ada@example.com' });
    if (again!.code !== tried.code) {
      expect((await codes.redeem(tried, later)).state).toBe('wrong');
    }
    const replaced = { ...tried, code: again!.code! };
    expect((await codes.redeem(replaced, later)).state).toBe('right');
    expect(await codes.replaceCode(tried, later)).toBeNull();
  });

  test.each([
    ['another browser', { browserKey: 'x'.repeat(43) }],
    ['a browser without a secret', { browserKey: '' }],
    ['another purpose', { purpose: 'email-change' } as const],
  ])('a request with %s gets no replacement, and the code stays valid', async (_who, change) => {
    const tried = await issue();
    expect(await codes.replaceCode({ ...tried, ...change }, NOW)).toBeNull();
    expect((await codes.redeem(tried, NOW)).state).toBe('right');
  });

  test('a decoy never gets a code, nor a replacement', async () => {
    const { id, browserKey, code } = await codes.issue({ ...about(), isDecoy: true }, NOW);
    expect(code).toBeNull();
    const held = { id, browserKey, purpose: 'password-reset' } as const;
    expect(await codes.replaceCode(held, NOW)).toMatchObject({ code: null });
    expect((await codes.redeem({ ...held, code: '00000000' }, NOW)).state).toBe('wrong');
  });
});

describe('a link key', () => {
  const WEEK_MS = 7 * DAY_MS;
  const issueKey = () => codes.createLinkKey(about('email-change-undo'), WEEK_MS, NOW);

  test('only one of twenty concurrent requests can redeem a link key', async () => {
    const key = await issueKey();
    const answers = await twentyTimes(() => codes.redeemLinkKey('email-change-undo', key, NOW));
    expect(statesOf(answers, 'right')).toHaveLength(1);
  });

  test('a link key works for its own purpose only, and other purposes do not use it up', async () => {
    const key = await issueKey();
    expect(await codes.redeemLinkKey('not-me', key, NOW)).toEqual({ state: 'over' });
    expect((await codes.redeemLinkKey('email-change-undo', key, NOW)).state).toBe('right');
  });

  test('a link key expires exactly at its expiry time', async () => {
    const [early, late] = [await issueKey(), await issueKey()];
    const ends = after(WEEK_MS);
    const justBefore = after(WEEK_MS - 1);
    expect((await codes.redeemLinkKey('email-change-undo', early, justBefore)).state).toBe('right');
    expect(await codes.redeemLinkKey('email-change-undo', late, ends)).toEqual({ state: 'over' });
  });

  test('a link key needs its secret, and cannot be redeemed as a code', async () => {
    const key = await issueKey();
    const [id = '', secret = ''] = key.split('.');
    for (const forged of [`${id}.`, id, `${id}.${'x'.repeat(43)}`, `${key}.x`]) {
      const answer = await codes.redeemLinkKey('email-change-undo', forged, NOW);
      expect(answer).toEqual({ state: 'over' });
    }
    const typed = { id, browserKey: '', purpose: 'email-change-undo', code: secret } as const;
    expect((await codes.redeem(typed, NOW)).state).toBe('wrong');
    expect((await codes.redeemLinkKey('email-change-undo', key, NOW)).state).toBe('right');
  });
});

describe('discarded codes', () => {
  test('discard() ends the codes of one user and the given purposes only', async () => {
    const [reset, change] = [await issue(), await issue('email-change')];
    await codes.discard('ada', ['password-reset']);
    expect(await codes.redeem(reset, NOW)).toEqual({ state: 'over' });
    expect((await codes.redeem(change, NOW)).state).toBe('right');
    const left = await issue();
    await codes.discard('grace');
    expect((await codes.redeem(left, NOW)).state).toBe('right');
  });

  test('discardCreatedSince() ends keys that were created at or after the given time', async () => {
    const purpose = 'email-change-undo';
    const [early, at, late] = await Promise.all(
      [-1, 0, 1].map((ms) => codes.createLinkKey(about(purpose), DAY_MS, after(ms))),
    );
    await codes.discardCreatedSince('ada', purpose, NOW);
    const states = [];
    for (const key of [early, at, late]) {
      states.push((await codes.redeemLinkKey(purpose, key!, after(2))).state);
    }
    expect(states).toEqual(['right', 'over', 'over']);
  });

  test('prune() deletes codes that expired before the given time', async () => {
    await issue();
    expect(await codes.prune(after(CODE_LIFETIME_MS))).toBe(0);
    expect(await codes.prune(after(CODE_LIFETIME_MS + 1))).toBe(1);
  });
});
