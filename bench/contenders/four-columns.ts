import Database from 'better-sqlite3';
import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3';

/** A client of `four-columns/schema.prisma`, which `bench.ts` generates, over an empty file. */
export async function openFourColumns(folder: string) {
  const file = `${folder}/four-columns.db`;
  const database = new Database(file);
  // As fast as the others are allowed to be.
  database.pragma('journal_mode = WAL');
  database.exec(
    'CREATE TABLE "Session" ("id" TEXT PRIMARY KEY, "sid" TEXT UNIQUE, "data" TEXT, "expiresAt" DATETIME)',
  );
  database.close();
  const { PrismaClient } = await import(
    new URL('../four-columns/client/client.ts', import.meta.url).href
  );
  return new PrismaClient({ adapter: new PrismaBetterSqlite3({ url: `file:${file}` }) });
}
