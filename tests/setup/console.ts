import { inspect } from 'node:util';
import { afterAll, afterEach } from 'vitest';
import { takeUnexpected } from './expected-console.ts';

// An unexpected warning or error on the console fails the test that caused it.

afterEach(() => {
  failOn(takeUnexpected());
});

// Output outside any test: during imports, in beforeAll, or after the last test.
afterAll(() => {
  failOn(takeUnexpected());
});

function failOn({ written, missing }: ReturnType<typeof takeUnexpected>) {
  const problems = [
    ...written.map(({ method, args }) => `console.${method}: ${args.map(show).join(' ')}`),
    ...missing.map(({ method, pattern }) => `console.${method} was expected with ${pattern}`),
  ];
  if (problems.length > 0) {
    throw new Error(`Unexpected console output (see expectConsole).\n${problems.join('\n')}`);
  }
}

const show = (value: unknown) => (typeof value === 'string' ? value : inspect(value));
