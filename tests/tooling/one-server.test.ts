import { expect, test } from 'vitest';
import { startApplication } from '../fixtures/application.ts';

test('a second server over one SQLite file says so, and does not start', async () => {
  const first = await startApplication();
  const env = { DATABASE_URL: first.databaseUrl };
  await expect(startApplication({ env })).rejects.toThrow(
    /^Another Latchkey server uses the database file .*; stop that one, or use PostgreSQL/,
  );
  await first.close();
  await (await startApplication()).close();
});
