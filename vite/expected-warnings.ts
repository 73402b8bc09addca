import type { Rollup } from 'vite';

/** Warnings that say nothing about our code, and why. */
const EXPECTED: ((warning: Rollup.RollupLog) => boolean)[] = [
  // Remix asks for a file for every route; a route without a page has nothing for browsers.
  ({ code }) => code === 'EMPTY_BUNDLE',
  // Comments of zod mention an annotation.
  ({ code, id }) => code === 'INVALID_ANNOTATION' && /\/node_modules\//.test(id ?? ''),
  // It has a file of its own all the same: see chunks.ts.
  ({ plugin, message }) =>
    plugin === 'vite:reporter' &&
    message.includes('/app/credentials/passkeys/passkey-sign-in-form.tsx is dynamically imported'),
];

/** Shows every warning of a build but the expected ones. */
export function showUnexpected(
  warning: Rollup.RollupLog,
  show: (warning: Rollup.RollupLog) => void,
): void {
  if (!EXPECTED.some((isExpected) => isExpected(warning))) show(warning);
}
