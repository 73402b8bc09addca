import { defineConfig } from 'vitest/config';
import { PATIENCE } from './tests/fixtures/patience.ts';
import LongestFirst from './tests/setup/longest-first.ts';

/**
 * The tests that use the application from outside: by a server, a browser or the commands. They run
 * build/ and dist/, which are built first. All other tests need no build.
 */
const FRONT_DOOR = ['tests/{pages,api,browser,tooling,faults}/**/*.test.{ts,tsx}'];
/**
 * Those of them that also run on PostgreSQL: every form, every attack, and in the nightly run the main path
 * in a browser.
 */
const ON_POSTGRESQL = ['tests/{pages,api}/**/*.test.{ts,tsx}', 'tests/browser/main-path.test.ts'];
/** Except tests that use no database or start their own. */
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
/** On PostgreSQL in the nightly run only: they make the same database calls as other tests. */
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
/** Tests that always take longer than ten seconds. */
const nightlyOnly = isNightly ? [] : ['tests/tooling/bench.test.ts'];
const EVERYTHING = ['tests/**/*.test.{ts,tsx}'];
/** As in production: React's development build takes three times as long to render a page. */
const AS_IN_PRODUCTION = { NODE_ENV: 'production' } as const;
const SECOND_MS = 1000;

export default defineConfig({
  esbuild: { jsx: 'automatic' },
  test: {
    environment: 'node',
    setupFiles: ['tests/setup/console.ts'],
    allowOnly: false,
    // Many files share one process: loading the built server takes longer than most files.
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
          // On two cores Vitest's default is one.
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          name: 'front door',
          env: AS_IN_PRODUCTION,
          include: FRONT_DOOR,
          exclude: nightlyOnly,
          globalSetup: ['tests/setup/build.ts'],
          // A browser is slow on a busy machine with two cores.
          testTimeout: 90 * SECOND_MS,
          hookTimeout: 120 * SECOND_MS,
          sequence: { groupOrder: 1 },
          // Each file starts a server and perhaps a browser, so more workers would not be faster.
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
