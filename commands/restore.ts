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
import { fromCaller, runCommand, say } from './run-command.ts';

const USAGE = 'Say "npm run restore -- <file>", with --yes behind it to be asked nothing.';

/** `npm run restore -- <file> [--yes]`: a backup in the place of the database, without whom was erased since. */
export async function main(): Promise<void> {
  await runCommand(async (args) => {
    const [file, ...more] = args.filter((arg) => arg !== '--yes');
    if (file === undefined || file.startsWith('-') || more.length > 0)
      throw new StartupError(USAGE);
    const env = parseEnv(process.env);
    const options = {
      databaseUrl: env.DATABASE_URL,
      file: fromCaller(file),
      now: new Date(),
    };
    say('Checking the backup, and that nobody uses the database ...');
    await checkRestore(options);
    if (!args.includes('--yes')) await requireYes();
    say('Restoring ...');
    let erasedAgain = 0;
    const { aside } = await restoreDatabase({
      ...options,
      bringUpToDate: async (databaseUrl, replaced) => {
        erasedAgain = await bringUpToDate(env, databaseUrl, replaced);
      },
    });
    say('The backup is restored.');
    if (aside) say(`What it replaced is kept as ${aside}; remove it once you are sure.`);
    say(
      erasedAgain === 1
        ? '1 account that was erased after the backup was made is erased again.'
        : `${erasedAgain} accounts that were erased after the backup was made are erased again.`,
    );
    say(
      'Secrets are in no backup: PASSWORD_PEPPER and ENCRYPTION_KEYS (or the file of SECRETS_FILE) have to be those of its time.',
    );
  });
}

async function requireYes(): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new StartupError(
      'Restoring replaces the database; say --yes behind the file, since there is nobody here to ask.',
    );
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(
    'Restoring replaces the database; what is in it now is put aside. Type "yes" to go on: ',
  );
  terminal.close();
  if (answer.trim().toLowerCase() !== 'yes') {
    throw new StartupError('Nothing was restored; the database is as it was.');
  }
}

/** The newest tables, and nobody who was erased since. Answers how many had to be erased again. */
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
    say(
      `The replaced database cannot be read, so only the erasures in ${env.ERASURE_JOURNAL} can be applied again; it has ${journaled.length}.`,
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
      // Whoever it was has been told, and what lies elsewhere is cleared by the server when it starts.
      mailer: null,
      forget: { counters: () => Promise.resolve(), mail: () => Promise.resolve() },
    });
    const kept = (receipts ?? []).map((receipt) => ({
      ...receipt,
      counts: JSON.parse(receipt.counts) as RowCounts,
    }));
    // Those of the database last: they say more.
    return await erasures.repeatErasures([...journaled, ...kept]);
  } finally {
    await database.close();
  }
}
