import type { TestProject } from 'vitest/node';
import { startPostgres } from '../fixtures/postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The PostgreSQL server of this Vitest project; absent if its tests run on SQLite. */
    postgresUrl: string;
  }
}

/** Starts one server for all tests of the project. Each application gets its own database in it. */
export default async function setup(project: TestProject) {
  const postgres = await startPostgres();
  project.provide('postgresUrl', postgres.url);
  return () => postgres.close();
}
