import { expect, test } from 'vitest';
import { runScript } from './run-script.ts';

const LONG_MS = 240_000;

test(
  'every part of the bench runs, and every contender gives the expected responses',
  async () => {
    const env = { CI: process.env.CI ?? '' };
    const { exitCode, stdout, stderr } = await runScript('bench.js', env, { args: ['--quick'] });
    expect(exitCode, stderr).toBe(0);
    for (const name of ['floor', 'latchkey-sqlite', 'latchkey-redis-bearer', 'better-auth']) {
      expect(stdout).toMatch(new RegExp(`^\\| ${name} `, 'm'));
    }
    expect(stdout.match(/^## .+$/gm)).toHaveLength(8);
  },
  LONG_MS,
);
