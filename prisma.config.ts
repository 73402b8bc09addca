import { defineConfig } from 'prisma/config';

/**
 * Options of Prisma's own command line. The database is chosen as the application chooses it, by
 * DATABASE_URL; PRISMA_PROVIDER names a folder where there is no database to ask (`generate`).
 */
const url = process.env.DATABASE_URL ?? 'file:./data/latchkey.db';
const provider =
  process.env.PRISMA_PROVIDER ?? (/^postgres(ql)?:/.test(url) ? 'postgresql' : 'sqlite');

export default defineConfig({
  schema: `prisma/${provider}`,
  migrations: { path: `prisma/${provider}/migrations` },
  datasource: { url },
});
