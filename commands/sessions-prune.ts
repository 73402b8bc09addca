import { openDatabase } from '#app/database/database.server.ts';
import { parseEnv } from '#app/config/env.server.ts';
import { createLog } from '#app/operations/log.server.ts';
import { DAY_MS, Sessions } from '#app/sessions/index.ts';
import { prismaSessionStore } from '#app/sessions/stores/prisma.ts';
import { StartupError } from '#app/config/startup-error.ts';

/** `npm run sessions:prune`: deletes sessions that ended before the retention period. */
export async function main(): Promise<void> {
  try {
    const env = parseEnv(process.env);
    const database = await openDatabase({
      databaseUrl: env.DATABASE_URL,
      log: createLog('warn'),
      isForCommand: true,
    });
    const { client, provider, checkpoint } = database;
    const sessions = new Sessions({
      store: prismaSessionStore({ client, provider, checkpoint }),
      retentionMs: env.SESSION_RETENTION_DAYS * DAY_MS,
    });
    const pruned = await sessions.prune(new Date());
    await database.close();
    process.stdout.write(
      `Deleted ${pruned === 1 ? '1 session' : `${pruned} sessions`} that ended more than ${env.SESSION_RETENTION_DAYS} days ago.\n`,
    );
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
