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

test('the fingerprint stays the same if only times change', () => {
  const before = fingerprint();
  utimesSync(path.join(folder, 'app', 'root.tsx'), new Date(0), new Date(0));
  expect(fingerprint()).toBe(before);
});

test.each<[string, () => void]>([
  ['a file is edited', () => writeFileSync(path.join(folder, 'app', 'root.tsx'), 'toor')],
  ['a file is added', () => writeFileSync(path.join(folder, 'app', 'routes.ts'), '')],
  ['a file is deleted', () => rmSync(path.join(folder, 'app', 'ui', 'button.tsx'))],
  [
    'a file is moved',
    () =>
      renameSync(
        path.join(folder, 'app', 'ui', 'button.tsx'),
        path.join(folder, 'app', 'button.tsx'),
      ),
  ],
  [
    'a listed file that was missing is added',
    () => writeFileSync(path.join(folder, 'server.ts'), ''),
  ],
])('the fingerprint changes when %s', (_what, change) => {
  const before = fingerprint();
  change();
  expect(fingerprint()).not.toBe(before);
});

test('the fingerprint does not depend on ignored paths', () => {
  const withoutUi = () => fingerprintOf(folder, ['app'], (name) => name === 'app/ui');
  const before = withoutUi();
  writeFileSync(path.join(folder, 'app', 'ui', 'button.tsx'), 'changed');
  expect(withoutUi()).toBe(before);
});

test('a mark is null before it is written, and is read back afterwards', () => {
  const file = path.join(folder, 'dist', '.built-from');
  expect(readMark(file)).toBeNull();
  writeMark(file, 'abc');
  expect(readMark(file)).toBe('abc');
});
