import type { TestProject } from 'vitest/node';
import { startPostgres } from '../fixtures/postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A PostgreSQL server for the tests of this project; absent where they run on SQLite. */
    postgresUrl: string;
  }
}

/** One server for a whole project of tests; each application gets a database of its own in it. */
export default async function setup(project: TestProject) {
  const postgres = await startPostgres();
  project.provide('postgresUrl', postgres.url);
  return () => postgres.close();
}
