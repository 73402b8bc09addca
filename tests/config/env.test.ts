import { describe, expect, test } from 'vitest';
import { parseEnv } from '#app/config/env.server.ts';
import { startupErrorOf } from '../fixtures/startup-error.ts';

const PEPPER = 'a pepper of more than thirty-two characters';
test('an empty environment gives the defaults for a first start on localhost', () => {
  expect(parseEnv({})).toEqual({
    NODE_ENV: 'production',
    PORT: 3000,
    HOST: '127.0.0.1',
    ORIGIN: 'http://localhost:3000',
    isLocal: true,
    DATABASE_URL: 'file:./data/latchkey.db',
    SECRETS_FILE: './data/secrets.json',
    OUTBOX_FOLDER: './data/outbox',
    ERASURE_JOURNAL: './data/erasures.jsonl',
    BCRYPT_COST: 12,
    PASSWORD_TRIES_PER_ACCOUNT: 10,
    PASSWORD_TRIES_PER_NETWORK: 100,
    PASSWORD_TRIES_IN_ALL: 10_000,
    CODE_TRIES_PER_ACCOUNT: 10,
    CODE_TRIES_PER_NETWORK: 100,
    CODE_TRIES_IN_ALL: 10_000,
    SIGN_UPS_PER_NETWORK: 20,
    SIGN_UPS_IN_ALL: 2000,
    MAILS_PER_ADDRESS: 6,
    MAILS_PER_NETWORK: 60,
    MAILS_IN_ALL: 5000,
    PWNED_PASSWORDS: 'on',
    PWNED_PASSWORDS_URL: 'https://api.pwnedpasswords.com',
    TRUSTED_PROXIES: 0,
    STOP_WITHIN_SECONDS: 10,
    STOP_DELAY_SECONDS: 0,
    METRICS_HOST: '127.0.0.1',
    LOG_LEVEL: 'info',
    SESSION_IDLE_SECONDS: 3600,
    SESSION_LIFETIME_SECONDS: 86_400,
    REMEMBERED_SESSION_IDLE_SECONDS: 14 * 86_400,
    REMEMBERED_SESSION_LIFETIME_SECONDS: 30 * 86_400,
    SESSION_FRESH_SECONDS: 900,
    SESSION_TOUCH_SECONDS: 60,
    SESSIONS_PER_USER: 100,
    SESSION_CACHE: 'off',
    SESSION_CACHE_SIZE: 50_000,
    SESSION_RETENTION_DAYS: 30,
    EVENT_STREAMS_IN_ALL: 10_000,
    ACTIVITY_RETENTION_DAYS: 180,
  });
});

test('empty values count as unset, and other variables are ignored', () => {
  const variables = { PORT: '', ORIGIN: '', HOST: '', PATH: '/bin', LOGNAME: 'ada' };
  expect(parseEnv(variables)).toEqual(parseEnv({}));
});

test.each([
  ['NODE_ENV', 'staging-canary'],
  ['PORT', 'canary'],
  ['PORT', '-1'],
  ['PORT', '65536'],
  ['PORT', '80.5'],
  ['ORIGIN', 'canary'],
  ['ORIGIN', 'localhost:3000'],
  ['ORIGIN', 'ftp://canary.example'],
  ['ORIGIN', 'javascript:alert(canary)'],
  ['ORIGIN', 'http://canary.example'],
  ['ORIGIN', 'http://localhost.canary.example'],
  ['ORIGIN', 'http://192.168.1.9'],
  ['PASSWORD_PEPPER', 'canary-too-short'],
  ['BCRYPT_COST', '3'],
  ['BCRYPT_COST', '17'],
  ['BCRYPT_COST', 'canary'],
  ['PASSWORD_TRIES_PER_ACCOUNT', '0'],
  ['PASSWORD_TRIES_PER_NETWORK', 'canary'],
  ['SIGN_UPS_PER_NETWORK', '-5'],
  ['SIGN_UPS_IN_ALL', '0'],
  ['MAILS_IN_ALL', 'canary'],
  ['REDIS_URL', 'http://canary.example'],
  ['PWNED_PASSWORDS', 'canary'],
  ['PWNED_PASSWORDS_URL', 'file:///canary'],
  ['TRUSTED_PROXIES', '-1'],
  ['TRUSTED_PROXIES', 'canary'],
  ['SMTP_URL', 'canary'],
  ['SMTP_URL', 'http://canary.example'],
  ['MAIL_FROM', 'canary'],
  ['MAIL_FROM', 'Latchkey <canary>'],
  ['MAIL_FROM', 'canary@example.com, other@example.com'],
  ['MAIL_FROM', 'Latchkey\r\nBcc: canary@example.com <a@example.com>'],
  ['LOG_LEVEL', 'canary'],
  ['STOP_WITHIN_SECONDS', '2'],
  ['STOP_WITHIN_SECONDS', 'canary'],
  ['STOP_DELAY_SECONDS', '-1'],
  ['STOP_DELAY_SECONDS', '8'],
  ['METRICS_PORT', 'canary'],
  ['METRICS_PORT', '65536'],
  ['METRICS_TOKEN', 'canary-too-short'],
  ['METRICS_TOKEN', 'canary of 32 characters and spaces'],
  ['SESSION_IDLE_SECONDS', '0'],
  ['SESSION_IDLE_SECONDS', '1.5'],
  ['SESSION_IDLE_SECONDS', 'Infinity'],
  ['SESSION_LIFETIME_SECONDS', '31536001'],
  ['REMEMBERED_SESSION_IDLE_SECONDS', 'canary'],
  ['REMEMBERED_SESSION_LIFETIME_SECONDS', '14 days'],
  ['SESSION_FRESH_SECONDS', '-900'],
  ['SESSION_TOUCH_SECONDS', 'canary'],
  ['EVENT_STREAMS_IN_ALL', '0'],
  ['SESSIONS_PER_USER', '0'],
  ['SESSIONS_PER_USER', 'canary'],
  ['SESSION_RETENTION_DAYS', '3651'],
  ['ACTIVITY_RETENTION_DAYS', '0'],
])('an invalid %s is refused by name, without showing its value (%s)', (name, value) => {
  const refusal = startupErrorOf(() => parseEnv({ [name]: value }));
  expect(refusal).toContain(name);
  expect(refusal).not.toContain('canary');
  expect(refusal).toMatch(/^[^\n]+\.$/);
});

describe('the origin', () => {
  test.each([
    ['https://latchkey.example', 'https://latchkey.example'],
    ['https://latchkey.example/', 'https://latchkey.example'],
    ['https://LATCHKEY.example:443/path?query#part', 'https://latchkey.example'],
    ['https://latchkey.example:8443', 'https://latchkey.example:8443'],
  ])('the origin %s becomes %s, and the server listens on all interfaces', (given, origin) => {
    expect(parseEnv({ ORIGIN: given })).toMatchObject({
      ORIGIN: origin,
      isLocal: false,
      HOST: '::',
    });
  });

  test.each([
    'http://localhost:8080',
    'http://127.0.0.1:3000',
    'http://[::1]:3000',
    'https://localhost',
  ])('the origin %s is local, and the server listens on 127.0.0.1 only', (origin) => {
    expect(parseEnv({ ORIGIN: origin })).toMatchObject({
      ORIGIN: origin,
      isLocal: true,
      HOST: '127.0.0.1',
    });
  });

  test('the default origin has the given port', () => {
    expect(parseEnv({ PORT: '8080' }).ORIGIN).toBe('http://localhost:8080');
  });

  test('a given HOST overrides the address that follows from the origin', () => {
    expect(parseEnv({ HOST: '0.0.0.0' }).HOST).toBe('0.0.0.0');
  });
});

test('STOP_WITHIN_SECONDS must exceed STOP_DELAY_SECONDS by the time that requests need to finish', () => {
  const env = { STOP_WITHIN_SECONDS: '30', STOP_DELAY_SECONDS: '27' };
  expect(parseEnv(env)).toMatchObject({ STOP_WITHIN_SECONDS: 30, STOP_DELAY_SECONDS: 27 });
  expect(startupErrorOf(() => parseEnv({ ...env, STOP_DELAY_SECONDS: '28' }))).toContain(
    'STOP_WITHIN_SECONDS',
  );
});

test('a BCRYPT_COST below 10 is accepted on localhost only', () => {
  const env = { ORIGIN: 'https://latchkey.example', PASSWORD_PEPPER: PEPPER };
  expect(startupErrorOf(() => parseEnv({ ...env, BCRYPT_COST: '9' }))).toContain('BCRYPT_COST');
  expect(parseEnv({ ...env, BCRYPT_COST: '10' }).BCRYPT_COST).toBe(10);
  expect(parseEnv({ BCRYPT_COST: '4' }).BCRYPT_COST).toBe(4);
});
