import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fingerprintOf, readMark, writeMark } from '../../scripts/set-up/fingerprint.js';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'latchkey-fingerprint-'));
  mkdirSync(path.join(folder, 'app', 'ui'), { recursive: true });
  writeFileSync(path.join(folder, 'app', 'root.tsx'), 'root');
  writeFileSync(path.join(folder, 'app', 'ui', 'button.tsx'), 'button');
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const fingerprint = () => fingerprintOf(folder, ['app', 'server.ts']);

test('stays the same while nothing but times change', () => {
  const before = fingerprint();
  utimesSync(path.join(folder, 'app', 'root.tsx'), new Date(0), new Date(0));
  expect(fingerprint()).toBe(before);
});

test.each<[string, () => void]>([
  ['a file is edited', () => writeFileSync(path.join(folder, 'app', 'root.tsx'), 'toor')],
  ['a file comes', () => writeFileSync(path.join(folder, 'app', 'routes.ts'), '')],
  ['a file goes', () => rmSync(path.join(folder, 'app', 'ui', 'button.tsx'))],
  [
    'a file moves',
    () =>
      renameSync(
        path.join(folder, 'app', 'ui', 'button.tsx'),
        path.join(folder, 'app', 'button.tsx'),
      ),
  ],
  [
    'a file comes that was named and absent',
    () => writeFileSync(path.join(folder, 'server.ts'), ''),
  ],
])('changes when %s', (_what, change) => {
  const before = fingerprint();
  change();
  expect(fingerprint()).not.toBe(before);
});

test('knows nothing of what is left out', () => {
  const withoutUi = () => fingerprintOf(folder, ['app'], (name) => name === 'app/ui');
  const before = withoutUi();
  writeFileSync(path.join(folder, 'app', 'ui', 'button.tsx'), 'changed');
  expect(withoutUi()).toBe(before);
});

test('a mark is read back, and absent before it is written', () => {
  const file = path.join(folder, 'dist', '.built-from');
  expect(readMark(file)).toBeNull();
  writeMark(file, 'abc');
  expect(readMark(file)).toBe('abc');
});
