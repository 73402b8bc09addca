/** Something that the person at the keyboard can put right. Its message is the whole explanation. */
export class Refusal extends Error {
  /** @override */
  name = 'Refusal';
}

/**
 * Runs a script. A {@link Refusal} ends it with its sentence alone, anything else with its stack,
 * and both with exit code 1.
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
