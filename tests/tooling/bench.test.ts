import { expect, test } from 'vitest';
import { runScript } from './run-script.ts';

const LONG_MS = 240_000;

test(
  'every contender of the bench answers what it must, and refuses whose session was ended',
  async () => {
    const env = { CI: process.env.CI ?? '' };
    const { exitCode, stdout, stderr } = await runScript('bench.js', env, { args: ['--quick'] });
    expect(exitCode, stderr).toBe(0);
    for (const name of ['floor', 'latchkey-sqlite', 'latchkey-redis-bearer', 'better-auth']) {
      expect(stdout).toMatch(new RegExp(`^\\| ${name} `, 'm'));
    }
  },
  LONG_MS,
);
