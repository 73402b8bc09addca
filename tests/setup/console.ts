import { inspect } from 'node:util';
import { afterAll, afterEach } from 'vitest';
import { takeUnexpected } from './expected-console.ts';

// A warning that nobody asked for is a failure of the test that caused it: else they pile up until
// nobody reads them.

afterEach(() => {
  failOn(takeUnexpected());
});

// What was written outside any test: while importing, in beforeAll, or after the last one.
afterAll(() => {
  failOn(takeUnexpected());
});

function failOn({ written, missing }: ReturnType<typeof takeUnexpected>) {
  const complaints = [
    ...written.map(({ method, args }) => `console.${method}: ${args.map(show).join(' ')}`),
    ...missing.map(({ method, pattern }) => `console.${method} was expected with ${pattern}`),
  ];
  if (complaints.length > 0) {
    throw new Error(`Unexpected console output (see expectConsole).\n${complaints.join('\n')}`);
  }
}

const show = (value: unknown) => (typeof value === 'string' ? value : inspect(value));
