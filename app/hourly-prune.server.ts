import type { Application } from './context.server.ts';

type Prunable = 'sessions' | 'activity' | 'spent' | 'mailedCodes' | 'limits';

/**
 * Removes whatever has been kept for as long as it is. One part that fails does not keep the others:
 * it is tried again in an hour.
 */
export async function pruneEverything(
  application: Pick<Application, Prunable | 'log'>,
  now: Date,
): Promise<void> {
  const { log } = application;
  const parts = {
    sessions: application.sessions,
    'entries of the activity log': application.activity,
    'spent things': application.spent,
    'mailed codes': application.mailedCodes,
    'counters of tries': application.limits,
  };
  for (const [what, part] of Object.entries(parts)) {
    try {
      log.info({ pruned: await part.prune(now) }, `pruned ${what}`);
    } catch (error) {
      log.error({ err: error }, `pruning ${what} failed; it is tried again in an hour`);
    }
  }
}
