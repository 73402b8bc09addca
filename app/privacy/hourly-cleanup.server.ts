import { Cron } from 'croner';
import type { Log } from '#app/operations/log.server.ts';
import type { Metrics } from '#app/operations/metrics.server.ts';
import type { Erasures } from './erasure.server.ts';
import { retentionSchedule, type RetentionScope } from './retention-schedule.server.ts';

const EVERY_HOUR = '17 * * * *';

interface CleanupScope extends RetentionScope {
  log: Log;
  metrics: Pick<Metrics, 'pruned'>;
  erasures: Pick<Erasures, 'finishPending'>;
}

/** Schedules the cleanup. The timer does not keep the process alive. */
export function scheduleCleanup(scope: CleanupScope, now: () => Date): Cron {
  const options = { protect: true, unref: true, timezone: 'UTC' };
  return new Cron(EVERY_HOUR, options, () => runCleanup(scope, now()));
}

/**
 * Deletes all data whose retention period has ended, and finishes interrupted erasures. A part that
 * fails does not stop the others, and is retried in an hour.
 */
export async function runCleanup(scope: CleanupScope, now: Date): Promise<void> {
  const { log, metrics, erasures } = scope;
  for (const part of retentionSchedule(scope)) {
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
