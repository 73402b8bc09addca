import { expect, test } from 'vitest';
import { startApplication } from '../fixtures/application.ts';

test('a second server on the same SQLite file is refused', async () => {
  const first = await startApplication();
  const env = { DATABASE_URL: first.databaseUrl };
  await expect(startApplication({ env })).rejects.toThrow(
    /^Another Latchkey server uses the database file .*; stop that one, or use PostgreSQL/,
  );
  await first.close();
  await (await startApplication()).close();
});

test('a server on SQLite with SESSION_CACHE=leased is refused, because that is for PostgreSQL', async () => {
  await expect(startApplication({ env: { SESSION_CACHE: 'leased' } })).rejects.toThrow(
    /^SESSION_CACHE=leased is for PostgreSQL; leave it out/,
  );
});
