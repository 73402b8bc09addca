import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod';

/** That an account was erased, as far as it must be known to erase it once more. It names nobody. */
export interface ErasedSubject {
  /** Of the receipt. */
  id: string;
  erasedAt: Date;
  /** Keyed digest of the user's id. */
  subjectDigest: string;
}

/**
 * A file beside the database to which every erasure adds a line. A backup that is restored knows
 * nothing of the erasures after it; should the database that does know of them be lost, this is what
 * is left to purge it by. Lines are never changed or removed.
 */
export interface ErasureJournal {
  /** Comes back when the line is on the disk. One that stands there already is not written again. */
  append(erased: ErasedSubject): Promise<void>;
  /** Every erasure in the file; none when there is no file. A line that was cut off is passed over. */
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
  /** Makes the folder, should it not be there. */
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
        // The break in front ends a line that a crash has cut off.
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
