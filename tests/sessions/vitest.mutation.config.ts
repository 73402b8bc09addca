import { defineConfig } from 'vitest/config';

/** What a mutation run holds the session engine against: no model, no big tables, no PostgreSQL. */
export default defineConfig({
  test: {
    environment: 'node',
    include: [
      'tests/sessions/{session,token,engine,batches,memory,callbacks,sqlite,redis,session-classes}.test.ts',
    ],
    setupFiles: ['tests/setup/console.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
