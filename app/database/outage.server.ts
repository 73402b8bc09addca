import type { PageContext } from '#app/context.server.ts';
import { isDatabaseUnavailable } from './errors.server.ts';
import { RedisUnavailableError } from './redis.server.ts';
import { StoreUnavailableError } from '#app/sessions/index.ts';

/** What whoever met an outage is told to wait. */
export const OUTAGE_RETRY_SECONDS = 10;

/** True when something that the application stands on could not answer: 503, and nothing concluded. */
export function isOutage(error: unknown): boolean {
  return (
    error instanceof StoreUnavailableError ||
    error instanceof RedisUnavailableError ||
    isDatabaseUnavailable(error)
  );
}

/** Gives back the tries of a request that met an outage: nobody could tell whether they were right. */
export async function refundAttempts({ owed }: Pick<PageContext, 'owed'>): Promise<void> {
  // The counters themselves may be what is down: their windows end all the same.
  await Promise.allSettled([...owed.tries].map((refund) => refund()));
}

/**
 * Whatever was changed of what is read along with sessions, the next page of any node shows. The end of
 * a session has been waited for by then: this much is done, and its answer stands.
 */
export async function publishProfileChanges({
  sessions,
  log,
}: Pick<PageContext, 'sessions' | 'log'>): Promise<void> {
  try {
    await sessions.settle();
  } catch (error) {
    log.warn({ err: error }, 'other nodes may show for a moment what was before');
  }
}
