import { createReadStream, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { OpenSessions } from './grown-database.ts';

const CHUNK_BYTES = 8 * 2 ** 20;

/**
 * Reads every byte of a database once, so that the operating system has it in memory. The kernel may have
 * evicted pages, and the bench does not measure the disk.
 */
export async function readThrough(databaseUrl: string, { query }: OpenSessions): Promise<void> {
  for (const file of await filesOf(databaseUrl, query)) {
    for await (const _chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES }));
  }
}

async function filesOf(databaseUrl: string, query: OpenSessions['query']): Promise<string[]> {
  if (databaseUrl.startsWith('file:')) return [databaseUrl.slice('file:'.length)];
  const [row] = await query<{ file: string }>(
    `SELECT current_setting('data_directory') || '/' || pg_relation_filepath('"Session"') AS "file"`,
  );
  const folder = dirname(row!.file);
  return readdirSync(folder).map((name) => join(folder, name));
}
