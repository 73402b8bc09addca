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
 * Declares that the running test writes one matching line to the console. The test fails if that line is
 * missing.
 */
export function expectConsole(method: Method, pattern: RegExp): void {
  expected.push({ method, pattern });
}

/** Returns, since the last call, the output that was not expected and the expectations that were not met. */
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
