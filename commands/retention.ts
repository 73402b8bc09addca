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

/** `npm run retention [-- --dry-run]`: deletes what has been kept for as long as it is, or says what would go. */
export async function main(): Promise<void> {
  await runCommand(async (args) => {
    const unknown = args.find((arg) => arg !== '--dry-run');
    if (unknown !== undefined) {
      throw new StartupError('Say "npm run retention", or "npm run retention -- --dry-run".');
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
  write(table.line(['', isDryRun ? 'would go' : '    went', 'kept']) + table.rule());
  let total = 0;
  for (const part of retentionSchedule(scope)) {
    // Each line stands there as soon as it is known: a first run may take a while.
    const gone = await (isDryRun ? part.count(now) : part.prune(now));
    total += gone;
    write(table.line([part.what, gone, part.keptFor]));
  }
  write(table.rule() + table.line(['in all', total]));
  if (isDryRun) write('Nothing was deleted. Without --dry-run it is.\n');
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
    // Those of Redis and of a process's memory go by themselves.
    limits: provider === 'postgresql' ? createPostgresCounters(client) : createMemoryCounters(),
  };
}
