/**
 * The server cannot start, and the operator can fix the cause. The message is one sentence for the
 * operator: what is wrong, and what to do. It never contains a secret. `main` prints only the message,
 * without a stack, and exits with code 1.
 */
export class StartupError extends Error {
  override name = 'StartupError';
}
