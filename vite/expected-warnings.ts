import type { Rollup } from 'vite';

/** Warnings that are not about our code. */
const EXPECTED: ((warning: Rollup.RollupLog) => boolean)[] = [
  // Remix builds a file for every route, which is empty for a route without a page.
  ({ code }) => code === 'EMPTY_BUNDLE',
  // A comment in zod mentions an annotation.
  ({ code, id }) => code === 'INVALID_ANNOTATION' && /\/node_modules\//.test(id ?? ''),
  // It gets its own file anyway: see chunks.ts.
  ({ plugin, message }) =>
    plugin === 'vite:reporter' &&
    message.includes('/app/credentials/passkeys/passkey-sign-in-form.tsx is dynamically imported'),
];

/** Shows a warning of the build unless it is expected. */
export function showUnexpected(
  warning: Rollup.RollupLog,
  show: (warning: Rollup.RollupLog) => void,
): void {
  if (!EXPECTED.some((isExpected) => isExpected(warning))) show(warning);
}
