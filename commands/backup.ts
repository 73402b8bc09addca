import { join, resolve } from 'node:path';
import { BACKUP_ENDING, backUpDatabase } from '#app/database/backup.server.ts';
import { parseDatabaseUrl } from '#app/database/address.server.ts';
import { parseEnv } from '#app/config/env.server.ts';
import { StartupError } from '#app/config/startup-error.ts';
import { printLine, resolveFromCaller, runCommand } from './run-command.ts';
import { sizeText } from './sizes.ts';

const BACKUPS = join('data', 'backups');
const SECOND_MS = 1000;

/** `npm run backup [-- <file>]`: writes a consistent copy of the database, while the server may be running. */
export async function main(): Promise<void> {
  await runCommand(async ([file, ...more]) => {
    if (more.length > 0 || file?.startsWith('-')) {
      throw new StartupError('Usage: npm run backup, or npm run backup -- <file>.');
    }
    const { DATABASE_URL } = parseEnv(process.env);
    const { provider } = parseDatabaseUrl(DATABASE_URL);
    const timestamp = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
    const target =
      file === undefined
        ? resolve(BACKUPS, `latchkey-${timestamp}${BACKUP_ENDING[provider]}`)
        : resolveFromCaller(file);
    printLine(`Backing up the ${provider === 'sqlite' ? 'SQLite' : 'PostgreSQL'} database ...`);
    const startedAt = performance.now();
    const bytes = await backUpDatabase(DATABASE_URL, target);
    const seconds = ((performance.now() - startedAt) / SECOND_MS).toFixed(1);
    printLine(`${target}: ${sizeText(bytes)}, in ${seconds} s. Only you can read it.`);
    printLine(
      'The backup does not contain PASSWORD_PEPPER and ENCRYPTION_KEYS (on localhost: the file SECRETS_FILE), without which no user can sign in. Keep them, and the file ERASURE_JOURNAL, in another place.',
    );
  });
}
