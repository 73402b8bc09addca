import { createInterface } from 'node:readline/promises';
import { createErasureJournal } from '#app/privacy/erasure-journal.server.ts';
import { createErasures } from '#app/privacy/erasure.server.ts';
import type { RowCounts } from '#app/privacy/user-rows.server.ts';
import { checkRestore, restoreDatabase, type Replaced } from '#app/database/restore.server.ts';
import { openDatabase } from '#app/database/database.server.ts';
import { parseEnv, type Env } from '#app/config/env.server.ts';
import { createKeyring } from '#app/config/keyring.server.ts';
import { createLog } from '#app/operations/log.server.ts';
import { createPrivateFolder } from '#app/config/private-folder.server.ts';
import { loadSecrets } from '#app/config/secrets.server.ts';
import { StartupError } from '#app/config/startup-error.ts';
import { printLine, resolveFromCaller, runCommand } from './run-command.ts';

const USAGE = 'Usage: npm run restore -- <file>, with --yes after it to skip the question.';

/**
 * `npm run restore -- <file> [--yes]`: replaces the database by a backup, and erases again the accounts that
 * were erased after the backup was made.
 */
export async function main(): Promise<void> {
  await runCommand(async (args) => {
    const [file, ...more] = args.filter((arg) => arg !== '--yes');
    if (file === undefined || file.startsWith('-') || more.length > 0)
      throw new StartupError(USAGE);
    const env = parseEnv(process.env);
    const options = {
      databaseUrl: env.DATABASE_URL,
      file: resolveFromCaller(file),
      now: new Date(),
    };
    printLine('Checking the backup, and that the database is not in use ...');
    await checkRestore(options);
    if (!args.includes('--yes')) await requireYes();
    printLine('Restoring ...');
    let erasedAgain = 0;
    const { aside } = await restoreDatabase({
      ...options,
      bringUpToDate: async (databaseUrl, replaced) => {
        erasedAgain = await bringUpToDate(env, databaseUrl, replaced);
      },
    });
    printLine('The backup is restored.');
    if (aside) {
      printLine(`The replaced database is kept as ${aside}; remove it when you no longer need it.`);
    }
    printLine(
      erasedAgain === 1
        ? '1 account that was erased after the backup was made is erased again.'
        : `${erasedAgain} accounts that were erased after the backup was made are erased again.`,
    );
    printLine(
      'Backups contain no secrets: PASSWORD_PEPPER and ENCRYPTION_KEYS (or the file SECRETS_FILE) must be the ones that were in use when the backup was made.',
    );
  });
}

async function requireYes(): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new StartupError(
      'Restoring replaces the database; add --yes after the file to confirm, because this is not a terminal.',
    );
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(
    'Restoring replaces the database; the current one is kept under another name. Type "yes" to continue: ',
  );
  terminal.close();
  if (answer.trim().toLowerCase() !== 'yes') {
    throw new StartupError('Nothing was restored; the database is unchanged.');
  }
}

/**
 * Migrates the restored database and repeats the erasures that followed the backup. Returns the number of
 * accounts that were erased again.
 */
async function bringUpToDate(
  env: Env,
  databaseUrl: string,
  { receipts }: Replaced,
): Promise<number> {
  const log = createLog('warn');
  const keyring = createKeyring(loadSecrets(env).encryptionKeys);
  const journal = createErasureJournal({
    file: env.ERASURE_JOURNAL,
    makeFolder: createPrivateFolder,
  });
  const journaled = await journal.read();
  if (receipts === null) {
    printLine(
      `The replaced database cannot be read, so only the ${journaled.length} erasures in ${env.ERASURE_JOURNAL} can be applied again.`,
    );
  }
  const database = await openDatabase({ databaseUrl, log, isForCommand: true });
  try {
    const erasures = createErasures({
      db: database.client,
      provider: database.provider,
      keyring,
      journal,
      log,
      // The users were notified at the time, and the server clears counters and mails when it starts.
      mailer: null,
      forget: { counters: () => Promise.resolve(), mail: () => Promise.resolve() },
    });
    const kept = (receipts ?? []).map((receipt) => ({
      ...receipt,
      counts: JSON.parse(receipt.counts) as RowCounts,
    }));
    // The receipts of the database last: they have more details.
    return await erasures.repeatErasures([...journaled, ...kept]);
  } finally {
    await database.close();
  }
}
