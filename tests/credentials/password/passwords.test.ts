import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareSync, hashSync } from 'bcryptjs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { passwordDigest } from '#app/credentials/password/password-digest.ts';
import type { PasswordTask } from '#app/credentials/password/password-worker.ts';
import { createPasswords, type Passwords } from '#app/credentials/password/passwords.server.ts';
import { openDatabase, type Database } from '#app/database/database.server.ts';

const COST = 4;
const PEPPER = 'a pepper of thirty-two characters';
const ADA = { id: 'ada', email: 'ada@example.com', password: 'correct horse battery staple' };
const NOW = new Date('2026-11-21T12:00:00.000Z');

let folder: string;
let taskLog: string;
let database: Database;
let passwords: Passwords;
const open = (pepper = PEPPER) =>
  createPasswords({
    db: database.client,
    pepper,
    cost: COST,
    worker: new URL('./counting-worker.ts', import.meta.url),
    execArgv: ['--import', 'tsx'],
  });
/** Returns the tasks that the worker threads got since the start of the test. */
const tasks = () =>
  readFileSync(taskLog, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as PasswordTask);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-passwords-'));
  taskLog = join(folder, 'tasks');
  process.env.HASHING_NOTES = taskLog;
  writeFileSync(taskLog, '');
  const log = { info: () => undefined, warn: () => undefined };
  database = await openDatabase({ databaseUrl: `file:${join(folder, 'test.db')}`, log });
  passwords = open();
  const hash = await passwords.hash(ADA.password);
  await database.client.user.create({
    data: {
      id: ADA.id,
      email: ADA.email,
      name: 'Ada',
      password: { create: { hash, changedAt: NOW } },
    },
  });
});
afterAll(async () => {
  await passwords.close();
  await database.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => writeFileSync(taskLog, ''));

describe('authenticate', () => {
  test('the right e-mail and password return the id of the user', async () => {
    expect(await passwords.authenticate(ADA.email, ADA.password)).toBe(ADA.id);
  });

  test.each([
    ['a wrong password', ADA.email, 'not this one'],
    ['no password', ADA.email, ''],
    ['the password with a trailing space', ADA.email, `${ADA.password} `],
    ['an unknown e-mail', 'bob@example.com', ADA.password],
    ['no e-mail', '', ''],
    ['an SQL pattern as e-mail', '%', ADA.password],
  ])('%s returns null', async (_what, email, password) => {
    expect(await passwords.authenticate(email, password)).toBeNull();
  });

  test('a known and an unknown e-mail both take one comparison of the same cost', async () => {
    await passwords.authenticate(ADA.email, 'not this one');
    const [known, ...more] = tasks();
    writeFileSync(taskLog, '');
    await passwords.authenticate('bob@example.com', 'not this one');
    const [unknown, ...evenMore] = tasks();
    expect([...more, ...evenMore]).toEqual([]);
    expect(known).toMatchObject({
      kind: 'compare',
      hash: expect.stringMatching(/^\$2[aby]\$04\$/),
    });
    expect(unknown).toMatchObject({
      ...known,
      hash: expect.stringMatching(/^\$2[aby]\$04\$.{53}$/),
    });
  });

  test('an account without a password never authenticates, at the same cost', async () => {
    await database.client.user.create({
      data: { id: 'none', email: 'none@example.com', name: 'None' },
    });
    expect(await passwords.authenticate('none@example.com', 'anything')).toBeNull();
    expect(await passwords.confirm('none', 'anything')).toBe(false);
    expect(tasks().map(({ kind }) => kind)).toEqual(['compare', 'compare']);
  });
});

test('confirm() is true only for the right password of the right user', async () => {
  expect(await passwords.confirm(ADA.id, ADA.password)).toBe(true);
  expect(await passwords.confirm(ADA.id, 'not this one')).toBe(false);
  expect(await passwords.confirm('bob', ADA.password)).toBe(false);
});

test('a new password replaces the old one', async () => {
  const later = new Date(NOW.getTime() + 1000);
  await passwords.set(ADA.id, 'a new password', later);
  expect(await passwords.confirm(ADA.id, ADA.password)).toBe(false);
  expect(await passwords.confirm(ADA.id, 'a new password')).toBe(true);
  const row = await database.client.password.findUniqueOrThrow({ where: { userId: ADA.id } });
  expect(row.changedAt).toEqual(later);
  await passwords.set(ADA.id, ADA.password, NOW);
});

test('a hash is bcrypt of a keyed digest, with a new salt each time', async () => {
  const [one, other] = await Promise.all([passwords.hash('the same'), passwords.hash('the same')]);
  expect(one).toMatch(/^\$2[aby]\$04\$.{53}$/);
  expect(one).not.toBe(other);
  expect(compareSync(passwordDigest('the same', PEPPER), one)).toBe(true);
  expect(compareSync('the same', one)).toBe(false);
});

test('worker threads never get the password itself', async () => {
  await passwords.hash('canary-password');
  await passwords.authenticate(ADA.email, 'canary-password');
  expect(readFileSync(taskLog, 'utf8')).not.toContain('canary');
});

test('with another pepper no password is right', async () => {
  const other = open('another pepper of 32 characters..');
  try {
    expect(await other.authenticate(ADA.email, ADA.password)).toBeNull();
  } finally {
    await other.close();
  }
});

test('hashing does not block the event loop', async () => {
  const slow = createPasswords({
    db: database.client,
    pepper: PEPPER,
    cost: 10,
    worker: new URL('./counting-worker.ts', import.meta.url),
    execArgv: ['--import', 'tsx'],
  });
  try {
    await slow.hash('the first one starts the thread');
    let turns = 0;
    const ticking = setInterval(() => (turns += 1), 1);
    await slow.hash('another one');
    clearInterval(ticking);
    // On the same thread the timer would not have fired.
    expect(turns).toBeGreaterThan(2);
  } finally {
    await slow.close();
  }
});

describe('the digest', () => {
  test('a digest has the same length for any password, and no NUL', () => {
    for (const password of ['', 'x', '\u0000', 'x'.repeat(1000), '\u{1f511}'.repeat(256)]) {
      expect(passwordDigest(password, PEPPER)).toMatch(/^[\w+/]{43}=$/);
    }
  });

  test.each([
    ['the 73rd byte', `${'x'.repeat(72)}a`, `${'x'.repeat(72)}b`],
    ['a trailing space', 'password', 'password '],
    ['the text after a NUL', 'a\u0000b', 'a\u0000c'],
    ['case', 'Password', 'password'],
    ['the Unicode form of an accent', '\u00e9', 'e\u0301'],
  ])('passwords that differ in %s have different digests', (_what, one, other) => {
    expect(passwordDigest(one, PEPPER)).not.toBe(passwordDigest(other, PEPPER));
  });

  test('a digest depends on the pepper', () => {
    const pepper = randomBytes(32).toString('base64');
    expect(passwordDigest('password', pepper)).not.toBe(passwordDigest('password', PEPPER));
    expect(passwordDigest('password', '')).not.toBe(passwordDigest('password', PEPPER));
  });

  test('bcrypt alone ignores what follows 72 bytes, so it needs the digest', () => {
    const long = 'x'.repeat(72);
    expect(compareSync(`${long}b`, hashSync(`${long}a`, 4))).toBe(true);
  });
});
