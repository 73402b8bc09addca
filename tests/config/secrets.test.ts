import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Piscina from 'piscina';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseEnv } from '#app/config/env.server.ts';
import { loadSecrets } from '#app/config/secrets.server.ts';
import { startupErrorOf } from '../fixtures/startup-error.ts';

const PEPPER = 'a pepper of more than thirty-two characters';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-secrets-'));
  file = join(folder, 'data', 'secrets.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const load = (variables: Record<string, string> = {}) =>
  loadSecrets(parseEnv({ SECRETS_FILE: file, ...variables }));
const modeOf = (path: string) => statSync(path).mode & 0o777;

test('with secrets in the environment, no file is created', () => {
  expect(load({ PASSWORD_PEPPER: PEPPER })).toMatchObject({ passwordPepper: PEPPER });
  expect(existsSync(file)).toBe(false);
});

test('secrets in the environment override those in the file', () => {
  load();
  expect(load({ PASSWORD_PEPPER: PEPPER })).toMatchObject({ passwordPepper: PEPPER });
});

test('outside localhost, missing secrets are refused and not generated', () => {
  const refusal = startupErrorOf(() => load({ ORIGIN: 'https://latchkey.example' }));
  expect(refusal).toContain('PASSWORD_PEPPER must be set');
  expect(existsSync(file)).toBe(false);
  const variables = { ORIGIN: 'https://latchkey.example', PASSWORD_PEPPER: PEPPER };
  expect(startupErrorOf(() => load(variables))).toContain('ENCRYPTION_KEYS must be set');
});

test('the first start generates secrets that only the owner of the file can read', () => {
  const before = process.umask(0);
  try {
    const { passwordPepper } = load();
    expect(Buffer.from(passwordPepper, 'base64url')).toHaveLength(32);
    expect(modeOf(file)).toBe(0o600);
    expect(modeOf(join(folder, 'data'))).toBe(0o700);
    expect(readdirSync(join(folder, 'data'))).toEqual(['secrets.json']);
  } finally {
    process.umask(before);
  }
});

test('the next start uses the same secrets and does not change the file', () => {
  const first = load();
  const text = readFileSync(file, 'utf8');
  expect(load()).toEqual(first);
  expect(readFileSync(file, 'utf8')).toBe(text);
});

test('two secrets files have different secrets', () => {
  const first = load();
  file = join(folder, 'other', 'secrets.json');
  expect(load()).not.toEqual(first);
});

// Every password depends on the file.
describe('a damaged secrets file', () => {
  test.each([
    ['is empty', ''],
    ['is cut off', '{"passwordPep'],
    ['has no object', '"canary"'],
    ['has another object', '{"pepper":"canary"}'],
    ['has a secret that is too short', '{"passwordPepper":"canary"}'],
    ['has a secret that is not a string', '{"passwordPepper":["canary"]}'],
    ['has binary data', '\u0000\u0001'],
  ])('a secrets file that %s is refused and not replaced', (_what, text) => {
    mkdirSync(join(folder, 'data'));
    writeFileSync(file, text);
    const refusal = startupErrorOf(load);
    expect(refusal).toContain(`The secrets file ${file} is damaged`);
    expect(refusal).not.toContain('canary');
    expect(readFileSync(file, 'utf8')).toBe(text);
  });
});

test('a secrets file that is a folder or is below a file is refused by name', () => {
  mkdirSync(file, { recursive: true });
  expect(startupErrorOf(load)).toContain(file);
  writeFileSync(join(folder, 'plain'), '');
  file = join(folder, 'plain', 'secrets.json');
  expect(startupErrorOf(load)).toContain('plain');
});

test('a folder that is not writable is refused by name', () => {
  // Not even root can write here.
  file = '/proc/latchkey/secrets.json';
  expect(startupErrorOf(load)).toContain('/proc/latchkey');
});

test('processes that start at the same time get the same secrets', async () => {
  const starters = 6;
  const threads = new Piscina<object, string>({
    filename: new URL('./secrets-starter.ts', import.meta.url).href,
    minThreads: starters,
    maxThreads: starters,
    execArgv: ['--import', 'tsx'],
  });
  try {
    for (let round = 0; round < 40; round += 1) {
      file = join(folder, String(round), 'secrets.json');
      const gate = new Int32Array(new SharedArrayBuffer(4));
      const answers = await Promise.all(
        Array.from({ length: starters }, () => threads.run({ secretsFile: file, gate, starters })),
      );
      expect(new Set(answers).size, answers.join('\n')).toBe(1);
      expect(answers[0]).toBe(load().passwordPepper);
      expect(modeOf(file)).toBe(0o600);
      expect(readdirSync(join(folder, String(round)))).toEqual(['secrets.json']);
    }
  } finally {
    await threads.destroy();
  }
});

test('a secrets file that other users can read is still used', () => {
  const first = load();
  chmodSync(file, 0o644);
  expect(load()).toEqual(first);
});

test('ENCRYPTION_KEYS keeps the order of its keys, and an invalid list is refused without showing it', () => {
  const [newer, older] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  const list = `2027:${newer.toString('base64')}, 2026:${older.toString('base64url')}`;
  expect(load({ ENCRYPTION_KEYS: list }).encryptionKeys).toEqual([
    { id: '2027', secret: newer },
    { id: '2026', secret: older },
  ]);
  for (const wrong of ['canary', '2026:canary', `${list},`, `:${newer.toString('base64')}`]) {
    const refusal = startupErrorOf(() => load({ ENCRYPTION_KEYS: wrong }));
    expect(refusal).toContain('ENCRYPTION_KEYS');
    expect(refusal).not.toContain('canary');
  }
});

test('without ENCRYPTION_KEYS, the key is derived from the pepper and differs from it', () => {
  const { encryptionKeys, passwordPepper } = load();
  expect(load().encryptionKeys).toEqual(encryptionKeys);
  expect(encryptionKeys[0].secret).toHaveLength(32);
  expect(encryptionKeys[0].secret.toString('base64url')).not.toBe(passwordPepper);
});
