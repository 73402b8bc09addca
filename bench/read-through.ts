import { createReadStream, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { OpenSessions } from './grown-database.ts';

const CHUNK_BYTES = 8 * 2 ** 20;

/**
 * Reads every byte of a database once, so that the system has it in memory: a kernel may have put pages
 * aside that were long not asked for, and a disk is not what is measured.
 */
export async function readThrough(databaseUrl: string, { ask }: OpenSessions): Promise<void> {
  for (const file of await filesOf(databaseUrl, ask)) {
    for await (const _chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES }));
  }
}

async function filesOf(databaseUrl: string, ask: OpenSessions['ask']): Promise<string[]> {
  if (databaseUrl.startsWith('file:')) return [databaseUrl.slice('file:'.length)];
  const [row] = await ask<{ file: string }>(
    `SELECT current_setting('data_directory') || '/' || pg_relation_filepath('"Session"') AS "file"`,
  );
  const folder = dirname(row!.file);
  return readdirSync(folder).map((name) => join(folder, name));
}
