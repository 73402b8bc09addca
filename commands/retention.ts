import { createActivityLog } from '#app/activity/activity-log.server.ts';
import { createMailedCodes } from '#app/credentials/mailed-codes/mailed-codes.server.ts';
import { createReplayGuard } from '#app/database/replay-guard.server.ts';
import { openDatabase, type Database } from '#app/database/database.server.ts';
import { parseEnv, type Env } from '#app/config/env.server.ts';
import { createMemoryCounters } from '#app/limits/counters.server.ts';
import { createPostgresCounters } from '#app/limits/postgres-counters.server.ts';
import { createKeyring } from '#app/config/keyring.server.ts';
import { createLog } from '#app/operations/log.server.ts';
import { retentionSchedule, type RetentionScope } from '#app/privacy/retention-schedule.server.ts';
import { loadSecrets } from '#app/config/secrets.server.ts';
import { DAY_MS, Sessions } from '#app/sessions/index.ts';
import { prismaSessionStore } from '#app/sessions/stores/prisma.ts';
import { StartupError } from '#app/config/startup-error.ts';
import { runCommand } from './run-command.ts';
import { createTable } from './table.ts';

const COLUMNS = [18, 8] as const;

/** `npm run retention [-- --dry-run]`: deletes what is past its retention period, or only counts it. */
export async function main(): Promise<void> {
  await runCommand(async (args) => {
    const unknown = args.find((arg) => arg !== '--dry-run');
    if (unknown !== undefined) {
      throw new StartupError('Usage: npm run retention, or npm run retention -- --dry-run.');
    }
    const isDryRun = args.includes('--dry-run');
    const env = parseEnv(process.env);
    const database = await openDatabase({
      databaseUrl: env.DATABASE_URL,
      log: createLog('warn'),
      isForCommand: true,
    });
    try {
      await showRetention(scopeOf(env, database), new Date(), isDryRun);
    } finally {
      await database.close();
    }
  });
}

async function showRetention(scope: RetentionScope, now: Date, isDryRun: boolean): Promise<void> {
  const table = createTable(COLUMNS);
  const write = (text: string) => process.stdout.write(text);
  write(table.line(['', isDryRun ? ' expired' : ' deleted', 'kept']) + table.rule());
  let total = 0;
  for (const part of retentionSchedule(scope)) {
    // Print each line at once: a first run may take a while.
    const count = await (isDryRun ? part.count(now) : part.prune(now));
    total += count;
    write(table.line([part.what, count, part.keptFor]));
  }
  write(table.rule() + table.line(['total', total]));
  if (isDryRun) write('Nothing was deleted. Run it without --dry-run to delete these rows.\n');
}

function scopeOf(env: Env, { client, provider }: Database): RetentionScope {
  const keyring = createKeyring(loadSecrets(env).encryptionKeys);
  return {
    db: client,
    sessions: new Sessions({
      store: prismaSessionStore({ client, provider }),
      retentionMs: env.SESSION_RETENTION_DAYS * DAY_MS,
    }),
    activityLog: createActivityLog({
      db: client,
      provider,
      retentionDays: env.ACTIVITY_RETENTION_DAYS,
    }),
    replayGuard: createReplayGuard(client),
    mailedCodes: createMailedCodes({ db: client, keyring }),
    // Counters in Redis or in memory expire by themselves.
    limits: provider === 'postgresql' ? createPostgresCounters(client) : createMemoryCounters(),
  };
}
