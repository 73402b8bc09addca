import { expect, test } from 'vitest';
import { createProgress } from '../../scripts/validation/progress.js';

const MINUTE_MS = 60_000;

function startProgress(expectedMs: Record<string, number> = {}) {
  let nowMs = 1000;
  const progress = createProgress({ files: ['a', 'b', 'c'], expectedMs, now: () => nowMs });
  return { progress, pass: (ms: number) => (nowMs += ms) };
}

test('a run that has just started shows no estimate', () => {
  expect(startProgress().progress.line()).toBe('0 of 3 files, 0 failed');
});

test('files of unknown duration have equal weight in the estimate', () => {
  const { progress, pass } = startProgress();
  pass(2 * MINUTE_MS);
  progress.add('a', 0);
  expect(progress.line()).toBe('1 of 3 files, 0 failed, about 4 min left');
});

test('files that were measured before are weighted by their duration in the estimate', () => {
  const { progress, pass } = startProgress({ a: 8000, b: 1000, c: 1000 });
  pass(8000);
  progress.add('a', 0);
  expect(progress.line()).toBe('1 of 3 files, 0 failed, about 2 s left');
});

test('the failed tests of all files are added up', () => {
  const { progress } = startProgress();
  progress.add('a', 2);
  progress.add('b', 0);
  progress.add('c', 1);
  expect(progress.line()).toBe('3 of 3 files, 3 failed, about 0 s left');
});
