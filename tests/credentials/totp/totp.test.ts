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
const withKeys = (...keys: [NamedKey, ...NamedKey[]]) => {
  const options = { db: database.client, keyring: createKeyring(keys) };
  return { totp: createTotp(options), recoveryCodes: createRecoveryCodes(options) };
};
/** Turns on TOTP at `NOW`, which uses up the code of that time step. */
const turnOn = async (userId: string) => {
  const { totp } = withKeys(OLD);
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

// RFC 6238, appendix B, SHA-1: the last six of its eight digits.
test.each([
  [59, '287082'],
  [1111111109, '081804'],
  [1111111111, '050471'],
  [1234567890, '005924'],
  [2000000000, '279037'],
  [20000000000, '353130'],
])('the code at second %i is %s, as in RFC 6238', async (seconds, code) => {
  const { totp } = withKeys(OLD);
  const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
  const step = Math.floor(seconds / 30);
  expect(await totp.findTimeStep(secret, code, new Date(seconds * 1000))).toBe(step);
  expect(codeOf(secret, new Date(seconds * 1000))).toBe(code);
});

test('a code is accepted from one step before to one step after its own, to the millisecond', async () => {
  const { totp } = withKeys(OLD);
  const secret = totp.newSecret();
  const code = codeOf(secret, NOW);
  for (const [at, isAccepted] of [
    [new Date(after(-1).getTime() - 1), false],
    [after(-1), true],
    [new Date(after(2).getTime() - 1), true],
    [after(2), false],
  ] as const) {
    expect((await totp.findTimeStep(secret, code, at)) !== null, at.toISOString()).toBe(isAccepted);
  }
});

test('a secret sealed with an older key works as long as that key exists', async () => {
  const { secret, codes } = await turnOn('ada');
  const rotated = withKeys(NEW, OLD);
  expect(await rotated.totp.use('ada', codeOf(secret, after(1)), after(1))).toBe(true);
  expect(await rotated.recoveryCodes.use('ada', codes[0]!, NOW)).toEqual({ left: 9 });
  const gone = withKeys(NEW);
  await expect(gone.totp.use('ada', codeOf(secret, after(2)), after(2))).rejects.toThrow(
    'put that key back, after the current one',
  );
  expect(await gone.recoveryCodes.use('ada', codes[1]!, NOW)).toBeNull();
});

test('a code cannot be reused if the clock goes back', async () => {
  const { secret } = await turnOn('ada');
  const { totp } = withKeys(OLD);
  expect(await totp.use('ada', codeOf(secret, after(9)), after(9))).toBe(true);
  for (const steps of [1, 5, 8, 9]) {
    expect(await totp.use('ada', codeOf(secret, after(steps)), after(steps))).toBe(false);
  }
});

test('only one of twenty concurrent requests can use a code', async () => {
  const { secret, codes } = await turnOn('ada');
  const { totp, recoveryCodes } = withKeys(OLD);
  const times = Array.from({ length: 20 });
  const used = await Promise.all(
    times.map(() => totp.use('ada', codeOf(secret, after(1)), after(1))),
  );
  expect(used.filter(Boolean)).toHaveLength(1);
  const recovered = await Promise.all(times.map(() => recoveryCodes.use('ada', codes[0]!, NOW)));
  expect(recovered.filter(Boolean)).toEqual([{ left: 9 }]);
});

test('codes of one user do not work for another user', async () => {
  const ada = await turnOn('ada');
  await turnOn('grace');
  const { totp, recoveryCodes } = withKeys(OLD);
  expect(await totp.use('grace', codeOf(ada.secret, after(1)), after(1))).toBe(false);
  expect(await recoveryCodes.use('grace', ada.codes[0]!, NOW)).toBeNull();
  // Not even if the row itself is moved to the other user.
  const { codeHash } = (await database.client.recoveryCode.findFirst({
    where: { userId: 'ada' },
  }))!;
  await database.client.recoveryCode.updateMany({
    where: { userId: 'ada', codeHash },
    data: { userId: 'grace' },
  });
  for (const code of ada.codes) expect(await recoveryCodes.use('grace', code, NOW)).toBeNull();
});

test('without two-factor sign-in no code works, and no recovery codes are created', async () => {
  const { totp, recoveryCodes } = withKeys(OLD);
  expect(await totp.isOn('ada')).toBe(false);
  expect(await totp.onSince('ada')).toBeNull();
  expect(await totp.use('ada', '123456', NOW)).toBe(false);
  expect(await totp.turnOff('ada')).toBe(false);
  expect(await recoveryCodes.replace('ada', NOW)).toBeNull();
  expect(await recoveryCodes.countLeft('ada')).toBe(0);
});

test('turning on two-factor sign-in twice changes neither the secret nor the recovery codes', async () => {
  const { secret, step, codes } = await turnOn('ada');
  const { totp, recoveryCodes } = withKeys(OLD);
  expect(await totp.turnOn('ada', { secret: totp.newSecret(), step }, NOW)).toBeNull();
  expect(await totp.use('ada', codeOf(secret, after(1)), after(1))).toBe(true);
  expect(await recoveryCodes.use('ada', codes[9]!, NOW)).toEqual({ left: 9 });
  expect(await totp.onSince('ada')).toEqual(NOW);
});
