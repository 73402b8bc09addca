import Database from 'better-sqlite3';
import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3';

/** Returns a client of `four-columns/schema.prisma`, which `npm run bench` generates, with an empty file. */
export async function openFourColumns(folder: string) {
  const file = `${folder}/four-columns.db`;
  const database = new Database(file);
  // WAL, as the other contenders on SQLite use it.
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
