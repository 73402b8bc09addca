import type { OpenContender } from './contender.ts';

/** The same route without any session: what nothing can be faster than. */
export const open: OpenContender = async () => ({
  use: (app, answer) => void app.get('/me', answer),
  headers: {},
  end: null,
});
