import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createRecoveryCodes } from '#app/credentials/recovery-codes/recovery-codes.server.ts';
import { createTotp } from '#app/credentials/totp/totp.server.ts';
import { openDatabase, type Database } from '#app/database/database.server.ts';
import { createKeyring, type NamedKey } from '#app/config/keyring.server.ts';
import { codeOf } from '../../fixtures/authenticator.ts';

const STEP_MS = 30_000;
const NOW = new Date('2026-11-21T12:00:00.000Z');
const after = (steps: number) => new Date(NOW.getTime() + steps * STEP_MS);
const key = (id: string, byte: number): NamedKey => ({ id, secret: Buffer.alloc(32, byte) });
const OLD = key('old', 1);
const NEW = key('new', 2);

let folder: string;
let database: Database;
const under = (...keys: [NamedKey, ...NamedKey[]]) => {
  const options = { db: database.client, keyring: createKeyring(keys) };
  return { totp: createTotp(options), recoveryCodes: createRecoveryCodes(options) };
};
/** Turns it on at `NOW`, which spends the code of that step. */
const turnOn = async (userId: string) => {
  const { totp } = under(OLD);
  const secret = totp.newSecret();
  const step = (await totp.findTimeStep(secret, codeOf(secret, NOW), NOW))!;
  const codes = (await totp.turnOn(userId, { secret, step }, NOW))!;
  return { secret, step, codes: codes.map((code) => code.replaceAll('-', '')) };
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-totp-'));
  const log = { info: () => undefined, warn: () => undefined };
  database = await openDatabase({ databaseUrl: `file:${join(folder, 'test.db')}`, log });
});
afterAll(async () => {
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await database.client.user.deleteMany();
  for (const id of ['ada', 'grace']) {
    await database.client.user.create({ data: { id, email: `${id}@example.com`, name: id } });
  }
});

// RFC 6238, appendix B, SHA-1; six digits are the last of its eight.
test.each([
  [59, '287082'],
  [1111111109, '081804'],
  [1111111111, '050471'],
  [1234567890, '005924'],
  [2000000000, '279037'],
  [20000000000, '353130'],
])('at second %i the code of the RFC is %s', async (seconds, code) => {
  const { totp } = under(OLD);
  const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
  const step = Math.floor(seconds / 30);
  expect(await totp.findTimeStep(secret, code, new Date(seconds * 1000))).toBe(step);
  expect(codeOf(secret, new Date(seconds * 1000))).toBe(code);
});

test('the edges of a step are where they are, to the millisecond', async () => {
  const { totp } = under(OLD);
  const secret = totp.newSecret();
  const code = codeOf(secret, NOW);
  for (const [at, isTaken] of [
    [new Date(after(-1).getTime() - 1), false],
    [after(-1), true],
    [new Date(after(2).getTime() - 1), true],
    [after(2), false],
  ] as const) {
    expect((await totp.findTimeStep(secret, code, at)) !== null, at.toISOString()).toBe(isTaken);
  }
});

test('what was set up under an older key works as long as that key is there', async () => {
  const { secret, codes } = await turnOn('ada');
  const rotated = under(NEW, OLD);
  expect(await rotated.totp.use('ada', codeOf(secret, after(1)), after(1))).toBe(true);
  expect(await rotated.recoveryCodes.use('ada', codes[0]!, NOW)).toEqual({ left: 9 });
  const gone = under(NEW);
  await expect(gone.totp.use('ada', codeOf(secret, after(2)), after(2))).rejects.toThrow(
    'put that key back, behind the current one',
  );
  expect(await gone.recoveryCodes.use('ada', codes[1]!, NOW)).toBeNull();
});

test('the clock going back brings no code back', async () => {
  const { secret } = await turnOn('ada');
  const { totp } = under(OLD);
  expect(await totp.use('ada', codeOf(secret, after(9)), after(9))).toBe(true);
  for (const steps of [1, 5, 8, 9]) {
    expect(await totp.use('ada', codeOf(secret, after(steps)), after(steps))).toBe(false);
  }
});

test('of twenty uses at once one is told that it is right', async () => {
  const { secret, codes } = await turnOn('ada');
  const { totp, recoveryCodes } = under(OLD);
  const times = Array.from({ length: 20 });
  const used = await Promise.all(
    times.map(() => totp.use('ada', codeOf(secret, after(1)), after(1))),
  );
  expect(used.filter(Boolean)).toHaveLength(1);
  const recovered = await Promise.all(times.map(() => recoveryCodes.use('ada', codes[0]!, NOW)));
  expect(recovered.filter(Boolean)).toEqual([{ left: 9 }]);
});

test('nothing of one person works for another', async () => {
  const ada = await turnOn('ada');
  await turnOn('grace');
  const { totp, recoveryCodes } = under(OLD);
  expect(await totp.use('grace', codeOf(ada.secret, after(1)), after(1))).toBe(false);
  expect(await recoveryCodes.use('grace', ada.codes[0]!, NOW)).toBeNull();
  // Not even where the row itself was copied.
  const { codeHash } = (await database.client.recoveryCode.findFirst({
    where: { userId: 'ada' },
  }))!;
  await database.client.recoveryCode.updateMany({
    where: { userId: 'ada', codeHash },
    data: { userId: 'grace' },
  });
  for (const code of ada.codes) expect(await recoveryCodes.use('grace', code, NOW)).toBeNull();
});

test('where it is off nothing works, and no codes are made', async () => {
  const { totp, recoveryCodes } = under(OLD);
  expect(await totp.isOn('ada')).toBe(false);
  expect(await totp.onSince('ada')).toBeNull();
  expect(await totp.use('ada', '123456', NOW)).toBe(false);
  expect(await totp.turnOff('ada')).toBe(false);
  expect(await recoveryCodes.replace('ada', NOW)).toBeNull();
  expect(await recoveryCodes.countLeft('ada')).toBe(0);
});

test('turning it on where it is on changes neither secret nor codes', async () => {
  const { secret, step, codes } = await turnOn('ada');
  const { totp, recoveryCodes } = under(OLD);
  expect(await totp.turnOn('ada', { secret: totp.newSecret(), step }, NOW)).toBeNull();
  expect(await totp.use('ada', codeOf(secret, after(1)), after(1))).toBe(true);
  expect(await recoveryCodes.use('ada', codes[9]!, NOW)).toEqual({ left: 9 });
  expect(await totp.onSince('ada')).toEqual(NOW);
});
