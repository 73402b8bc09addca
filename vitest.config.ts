import { defineConfig } from 'vitest/config';
import { PATIENCE } from './tests/fixtures/patience.ts';
import LongestFirst from './tests/setup/longest-first.ts';

/**
 * Groups of tests. Those that come in by the front door (a server, a browser, the commands) run
 * what stands in build/ and dist/, which is built first; the rest needs no build.
 */
const FRONT_DOOR = ['tests/{pages,api,browser,tooling,faults}/**/*.test.{ts,tsx}'];
/** Of those, what runs on PostgreSQL once more: every form, every attack, and at night the main path in a browser. */
const ON_POSTGRESQL = ['tests/{pages,api}/**/*.test.{ts,tsx}', 'tests/browser/main-path.test.ts'];
/**
 * But not what asks no database, or brings one of its own; nor, but for the nightly run, what asks it by
 * the same calls as other tests do.
 */
const NOT_ON_POSTGRESQL = [
  'pages/guarded-routes',
  'pages/health',
  'pages/known-passwords',
  'pages/logs',
  'pages/mail-by-smtp',
  'pages/mail-outbox',
  'pages/metrics',
  'pages/misshapen-forms',
  'pages/not-found',
  'pages/odd-requests',
  'pages/rate-limits-together',
  'pages/redirect-to',
  'pages/request-log',
  'pages/security-headers',
  'pages/theme-and-message',
  'pages/built-files',
];
const NIGHTLY_ON_POSTGRESQL = [
  'pages/connected-sign-up',
  'pages/connection-attacks',
  'pages/connections',
  'pages/cross-site-requests',
  'pages/access-tokens',
  'api/sessions',
  'pages/fresh-proof',
  'pages/fresh-proof-by-every-way',
  'pages/hostile-text',
  'pages/mail-limits',
  'pages/not-me',
  'pages/notices',
  'pages/outage',
  'pages/sign-up-verification',
  'pages/passkey-attacks',
  'pages/profile',
  'pages/profile-picture',
  'pages/rate-limits',
  'pages/second-factor',
  'pages/two-factor-settings',
];
const isNightly = Boolean(process.env.LATCHKEY_NIGHTLY);
const notOnPostgresql = isNightly
  ? NOT_ON_POSTGRESQL
  : [...NOT_ON_POSTGRESQL, ...NIGHTLY_ON_POSTGRESQL];
/** It takes longer than ten seconds by its nature. */
const leftForTheNight = isNightly ? [] : ['tests/tooling/bench.test.ts'];
const EVERYTHING = ['tests/**/*.test.{ts,tsx}'];
/** As users run it: React's development build takes three times as long for a page. */
const AS_IN_PRODUCTION = { NODE_ENV: 'production' } as const;
const SECOND_MS = 1000;

export default defineConfig({
  esbuild: { jsx: 'automatic' },
  test: {
    environment: 'node',
    setupFiles: ['tests/setup/console.ts'],
    allowOnly: false,
    // One process for many files: starting one, with the built server in it, takes longer than most files do.
    isolate: false,
    expect: { poll: PATIENCE },
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'rooms',
          include: EVERYTHING,
          exclude: FRONT_DOOR,
          globalSetup: ['tests/setup/database-clients.ts'],
          testTimeout: 20 * SECOND_MS,
          hookTimeout: 60 * SECOND_MS,
          sequence: { groupOrder: 0 },
          // On two cores Vitest would take one.
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          name: 'front door',
          env: AS_IN_PRODUCTION,
          include: FRONT_DOOR,
          exclude: leftForTheNight,
          globalSetup: ['tests/setup/build.ts'],
          // A browser on a busy machine of two cores takes its time.
          testTimeout: 90 * SECOND_MS,
          hookTimeout: 120 * SECOND_MS,
          sequence: { groupOrder: 1 },
          // Each file brings a server and perhaps a browser; more at once is no faster.
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          name: 'front door on PostgreSQL',
          env: AS_IN_PRODUCTION,
          include: ON_POSTGRESQL,
          exclude: [
            ...notOnPostgresql.map((name) => `tests/${name}.test.ts`),
            ...(isNightly ? [] : ['tests/browser/**']),
          ],
          globalSetup: ['tests/setup/build.ts', 'tests/setup/postgres.ts'],
          testTimeout: 90 * SECOND_MS,
          hookTimeout: 120 * SECOND_MS,
          sequence: { groupOrder: 2 },
          maxWorkers: 2,
        },
      },
    ],
  },
});
