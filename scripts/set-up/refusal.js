/** An error that the caller of the command can fix. Its message is the whole explanation. */
export class Refusal extends Error {
  /** @override */
  name = 'Refusal';
}

/**
 * Runs a script. If it throws, prints the error and exits with code 1: only the message of a
 * {@link Refusal}, the stack of any other error.
 *
 * @param {() => Promise<void> | void} main
 */
export async function runScript(main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Refusal ? error.message : error);
    process.exit(1);
  }
}
