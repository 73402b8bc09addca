import type { Application } from '#app/context.server.ts';
import { retentionSchedule } from './retention-schedule.server.ts';

/**
 * Removes whatever has been kept for as long as it is, and finishes erasures that were cut off. One
 * part that fails does not keep the others: it is tried again in an hour.
 */
export async function runCleanup(application: Application, now: Date): Promise<void> {
  const { log, metrics, erasures } = application;
  for (const part of retentionSchedule(application)) {
    const { what } = part;
    try {
      const pruned = await part.prune(now);
      metrics.pruned.inc({ what }, pruned);
      log.info({ pruned }, `pruned ${what}`);
    } catch (error) {
      log.error({ err: error }, `pruning ${what} failed; it is tried again in an hour`);
    }
  }
  try {
    await erasures.finishPending();
  } catch (error) {
    log.error({ err: error }, 'erasures could not be looked after; it is tried again in an hour');
  }
}
