import { randomBytes } from 'node:crypto';
import { RateLimiterRes } from 'rate-limiter-flexible';
import { afterEach, expect, test, vi } from 'vitest';
import { createRateLimits, type RateLimitOptions } from '#app/limits/rate-limits.server.ts';
import { createKeyring } from '#app/config/keyring.server.ts';

const WINDOW_MS = 900_000;
const keyring = createKeyring([{ id: 'k', secret: randomBytes(32) }]);

afterEach(() => void vi.useRealTimers());

test.each([
  ['the window has not ended', 0, WINDOW_MS - 1, 2],
  ['the window has ended', 0, WINDOW_MS, 0],
  ['the window has ended, and the counter responded late', 5000, WINDOW_MS - 5000, 0],
])('an attempt is refunded only within its window: %s', async (_when, lateMs, laterMs, refunds) => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const reward = vi.fn(() => Promise.resolve(new RateLimiterRes()));
  const consume = () => {
    vi.advanceTimersByTime(lateMs);
    return Promise.resolve(new RateLimiterRes(1, WINDOW_MS, 1, true));
  };
  const limits = createRateLimits(
    {} as RateLimitOptions,
    { counter: () => ({ consume, reward }), forget: vi.fn(), prune: vi.fn() },
    keyring,
  );
  const attempt = await limits.takeSignUp('192.0.2.1');
  vi.advanceTimersByTime(laterMs);
  if (attempt.isAllowed) await attempt.refund();
  expect(reward).toHaveBeenCalledTimes(refunds);
});
