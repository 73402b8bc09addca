import { expect, test } from 'vitest';
import { holdsWhatIsLocked } from '../../scripts/set-up/installation.js';

const lock = {
  packages: {
    '': { version: '0.1.0' },
    'node_modules/zod': { version: '4.0.0', integrity: 'sha512-a' },
    'node_modules/@esbuild/aix-ppc64': { version: '1.0.0', optional: true },
  },
};

test('an installation without the packages of other platforms is complete', () => {
  const installed = {
    packages: { 'node_modules/zod': { version: '4.0.0', integrity: 'sha512-a' } },
  };
  expect(holdsWhatIsLocked(installed, lock)).toBe(true);
});

test.each([
  ['lacks a package', {}],
  ['has another version', { 'node_modules/zod': { version: '3.9.0', integrity: 'sha512-a' } }],
  ['has other contents', { 'node_modules/zod': { version: '4.0.0', integrity: 'sha512-b' } }],
])('an installation that %s is not complete', (_what, packages) => {
  expect(holdsWhatIsLocked({ packages }, lock)).toBe(false);
});
