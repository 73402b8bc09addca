import { expect, test } from 'vitest';
import { tooManyRequests } from '#app/http/form.server.ts';
import { textForStatus } from '#app/ui/error-page.tsx';

test.each([
  [1, 'Wait a minute, then try again.'],
  [60, 'Wait a minute, then try again.'],
  [61, 'Wait 2 minutes, then try again.'],
  [900, 'Wait 15 minutes, then try again.'],
])('a 429 with %i seconds shows on a page without a form: %s', async (seconds, words) => {
  const answer = tooManyRequests(seconds);
  expect(answer.status).toBe(429);
  expect(answer.headers.get('retry-after')).toBe(String(seconds));
  expect(textForStatus(429, await answer.text()).text).toContain(words);
});

test('a 429 without our body shows to wait a while', () => {
  expect(textForStatus(429).text).toContain('Wait a while, then try again.');
  expect(textForStatus(429, { detail: 'x' }).text).toContain('Wait a while, then try again.');
});
