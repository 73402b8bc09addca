import { defineConfig } from 'vitest/config';

/** The tests of a mutation run: without the model, large tables and PostgreSQL. */
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
