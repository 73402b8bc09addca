/**
 * The server cannot start, and whoever starts it can put that right. The message is one sentence
 * for that person: what is wrong, and what to do. It never shows a secret; `main` prints it alone,
 * without a stack, and exits with code 1.
 */
export class StartupError extends Error {
  override name = 'StartupError';
}
