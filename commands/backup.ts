import { join, resolve } from 'node:path';
import { BACKUP_ENDING, backUpDatabase } from '#app/database/backup.server.ts';
import { parseDatabaseUrl } from '#app/database/address.server.ts';
import { parseEnv } from '#app/config/env.server.ts';
import { StartupError } from '#app/config/startup-error.ts';
import { fromCaller, runCommand, say } from './run-command.ts';
import { sizeText } from './sizes.ts';

const BACKUPS = join('data', 'backups');
const SECOND_MS = 1000;

/** `npm run backup [-- <file>]`: a copy of the database as it is at one moment, while it is served. */
export async function main(): Promise<void> {
  await runCommand(async ([file, ...more]) => {
    if (more.length > 0 || file?.startsWith('-')) {
      throw new StartupError('Say "npm run backup", or "npm run backup -- <file>".');
    }
    const { DATABASE_URL } = parseEnv(process.env);
    const { provider } = parseDatabaseUrl(DATABASE_URL);
    const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
    const target =
      file === undefined
        ? resolve(BACKUPS, `latchkey-${stamp}${BACKUP_ENDING[provider]}`)
        : fromCaller(file);
    say(`Backing up the ${provider === 'sqlite' ? 'SQLite' : 'PostgreSQL'} database ...`);
    const startedAt = performance.now();
    const bytes = await backUpDatabase(DATABASE_URL, target);
    const seconds = ((performance.now() - startedAt) / SECOND_MS).toFixed(1);
    say(`${target}: ${sizeText(bytes)}, in ${seconds} s. Only you can read it.`);
    say(
      'Not in it, and needed with it: PASSWORD_PEPPER and ENCRYPTION_KEYS (on localhost the file of SECRETS_FILE), without which nobody can sign in. Keep them somewhere else, and ERASURE_JOURNAL as well.',
    );
  });
}
