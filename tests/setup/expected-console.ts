import { inspect } from 'node:util';

type Method = 'error' | 'warn';

interface Written {
  method: Method;
  args: unknown[];
}

interface Expected {
  method: Method;
  pattern: RegExp;
}

let written: Written[] = [];
let expected: Expected[] = [];

for (const method of ['error', 'warn'] as const) {
  console[method] = (...args: unknown[]) => {
    written.push({ method, args });
  };
}

/**
 * Says that the running test writes to the console, once for each call. A test that expects what
 * then does not come fails too.
 */
export function expectConsole(method: Method, pattern: RegExp): void {
  expected.push({ method, pattern });
}

/** What was written and not expected, and what was expected and not written, since the last call. */
export function takeUnexpected(): { written: Written[]; missing: Expected[] } {
  const missing = expected.filter((expectation) => {
    const index = written.findIndex((entry) => matches(entry, expectation));
    if (index >= 0) written.splice(index, 1);
    return index < 0;
  });
  const result = { written, missing };
  written = [];
  expected = [];
  return result;
}

function matches({ method, args }: Written, expectation: Expected): boolean {
  const text = args.map((value) => (typeof value === 'string' ? value : inspect(value))).join(' ');
  return method === expectation.method && expectation.pattern.test(text);
}
