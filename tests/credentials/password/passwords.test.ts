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
let notes: string;
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
/** What the threads were asked to do since the test began. */
const tasks = () =>
  readFileSync(notes, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as PasswordTask);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-passwords-'));
  notes = join(folder, 'notes');
  process.env.HASHING_NOTES = notes;
  writeFileSync(notes, '');
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
beforeEach(() => writeFileSync(notes, ''));

describe('e-mail and password', () => {
  test('that belong together are their user', async () => {
    expect(await passwords.authenticate(ADA.email, ADA.password)).toBe(ADA.id);
  });

  test.each([
    ['a wrong password', ADA.email, 'not this one'],
    ['no password', ADA.email, ''],
    ['the password with a space', ADA.email, `${ADA.password} `],
    ['an unknown e-mail', 'bob@example.com', ADA.password],
    ['no e-mail', '', ''],
    ['a pattern', '%', ADA.password],
  ])('that do not are nobody: %s', async (_what, email, password) => {
    expect(await passwords.authenticate(email, password)).toBeNull();
  });

  test('cost one comparison of the same cost, whether the e-mail is known or not', async () => {
    await passwords.authenticate(ADA.email, 'not this one');
    const [known, ...more] = tasks();
    writeFileSync(notes, '');
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

  test('of an account without a password are nobody, at the same cost', async () => {
    await database.client.user.create({
      data: { id: 'none', email: 'none@example.com', name: 'None' },
    });
    expect(await passwords.authenticate('none@example.com', 'anything')).toBeNull();
    expect(await passwords.confirm('none', 'anything')).toBe(false);
    expect(tasks().map(({ kind }) => kind)).toEqual(['compare', 'compare']);
  });
});

test('a password is confirmed by whose it is, and for nobody else', async () => {
  expect(await passwords.confirm(ADA.id, ADA.password)).toBe(true);
  expect(await passwords.confirm(ADA.id, 'not this one')).toBe(false);
  expect(await passwords.confirm('bob', ADA.password)).toBe(false);
});

test('a new password takes the place of the old one', async () => {
  const later = new Date(NOW.getTime() + 1000);
  await passwords.set(ADA.id, 'a new password', later);
  expect(await passwords.confirm(ADA.id, ADA.password)).toBe(false);
  expect(await passwords.confirm(ADA.id, 'a new password')).toBe(true);
  const row = await database.client.password.findUniqueOrThrow({ where: { userId: ADA.id } });
  expect(row.changedAt).toEqual(later);
  await passwords.set(ADA.id, ADA.password, NOW);
});

test('what is stored is bcrypt of a keyed digest, salted anew each time', async () => {
  const [one, other] = await Promise.all([passwords.hash('the same'), passwords.hash('the same')]);
  expect(one).toMatch(/^\$2[aby]\$04\$.{53}$/);
  expect(one).not.toBe(other);
  expect(compareSync(passwordDigest('the same', PEPPER), one)).toBe(true);
  expect(compareSync('the same', one)).toBe(false);
});

test('a password itself reaches no other thread', async () => {
  await passwords.hash('canary-password');
  await passwords.authenticate(ADA.email, 'canary-password');
  expect(readFileSync(notes, 'utf8')).not.toContain('canary');
});

test('with another pepper no password is right any more', async () => {
  const other = open('another pepper of 32 characters..');
  try {
    expect(await other.authenticate(ADA.email, ADA.password)).toBeNull();
  } finally {
    await other.close();
  }
});

test('hashing goes on beside everything else', async () => {
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
    // On the same thread nothing else would have had a turn.
    expect(turns).toBeGreaterThan(2);
  } finally {
    await slow.close();
  }
});

describe('the digest', () => {
  test('has as many characters for any password, of which none is a NUL', () => {
    for (const password of ['', 'x', '\u0000', 'x'.repeat(1000), '\u{1f511}'.repeat(256)]) {
      expect(passwordDigest(password, PEPPER)).toMatch(/^[\w+/]{43}=$/);
    }
  });

  test.each([
    ['the 73rd byte', `${'x'.repeat(72)}a`, `${'x'.repeat(72)}b`],
    ['a trailing space', 'password', 'password '],
    ['what follows a NUL', 'a\u0000b', 'a\u0000c'],
    ['case', 'Password', 'password'],
    ['how an accent is written', '\u00e9', 'e\u0301'],
  ])('tells %s apart', (_what, one, other) => {
    expect(passwordDigest(one, PEPPER)).not.toBe(passwordDigest(other, PEPPER));
  });

  test('is another under another pepper, and none that could be made without it', () => {
    const pepper = randomBytes(32).toString('base64');
    expect(passwordDigest('password', pepper)).not.toBe(passwordDigest('password', PEPPER));
    expect(passwordDigest('password', '')).not.toBe(passwordDigest('password', PEPPER));
  });

  test('bcrypt by itself would stop at 72 bytes and at a NUL: this is why', () => {
    const long = 'x'.repeat(72);
    expect(compareSync(`${long}b`, hashSync(`${long}a`, 4))).toBe(true);
  });
});
