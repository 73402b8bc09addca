import { StoreUnavailableError } from '#app/sessions/index.ts';
import { isDatabaseUnavailable } from './errors.server.ts';
import { RedisUnavailableError } from './redis.server.ts';

/** Seconds for the `Retry-After` header of a 503. */
export const OUTAGE_RETRY_SECONDS = 10;

/** True if a dependency failed. Answer 503: an outage never signs anyone out. */
export function isOutage(error: unknown): boolean {
  return (
    error instanceof StoreUnavailableError ||
    error instanceof RedisUnavailableError ||
    isDatabaseUnavailable(error)
  );
}
