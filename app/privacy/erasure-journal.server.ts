import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod';

/** The data that is needed to repeat an erasure. It does not identify the user. */
export interface ErasedSubject {
  /** The id of the receipt. */
  id: string;
  erasedAt: Date;
  /** Keyed digest of the user's id. */
  subjectDigest: string;
}

/**
 * A file outside the database with one line per erasure. A restored backup lacks later erasures. If the
 * replaced database is lost, only this file tells which erasures to repeat. Lines are never changed or
 * removed.
 */
export interface ErasureJournal {
  /** Resolves when the line is on the disk. Does nothing if the file already has the erasure. */
  append(erased: ErasedSubject): Promise<void>;
  /** Returns every erasure in the file; none if there is no file. Skips a truncated line. */
  read(): Promise<ErasedSubject[]>;
}

const OWNER_ONLY = 0o600;

const lineSchema = z.object({
  id: z.string(),
  erasedAt: z.iso.datetime().transform((text) => new Date(text)),
  subjectDigest: z.string(),
});

export function createErasureJournal(options: {
  file: string;
  /** Creates the folder if it is missing. */
  makeFolder: (folder: string) => void;
}): ErasureJournal {
  const { file, makeFolder } = options;

  const readText = async () => {
    try {
      return await readFile(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw error;
    }
  };
  const read = async () => (await readText()).split('\n').flatMap(parseLine);

  return {
    read,
    async append(erased) {
      if ((await read()).some(({ id }) => id === erased.id)) return;
      const { id, erasedAt, subjectDigest } = erased;
      const line = JSON.stringify({ id, erasedAt: erasedAt.toISOString(), subjectDigest });
      makeFolder(dirname(file));
      const { O_APPEND, O_CREAT, O_WRONLY } = constants;
      const opened = await open(file, O_APPEND | O_CREAT | O_WRONLY, OWNER_ONLY);
      try {
        // The leading line break ends a line that a crash has truncated.
        await opened.appendFile(`\n${line}\n`);
        await opened.sync();
      } finally {
        await opened.close();
      }
    },
  };
}

function parseLine(line: string): ErasedSubject[] {
  if (line === '') return [];
  try {
    return [lineSchema.parse(JSON.parse(line))];
  } catch {
    return [];
  }
}
