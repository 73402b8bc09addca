import { parseEnv } from '#app/config/env.server.ts';
import { loadSecrets } from '#app/config/secrets.server.ts';

interface Start {
  secretsFile: string;
  /** Counts the threads that are ready. */
  gate: Int32Array;
  starters: number;
}

/**
 * Runs in a thread of `secrets.test.ts`: waits for all threads, then loads the secrets. Returns the pepper or
 * the text of the error.
 */
export default function startTogether({ secretsFile, gate, starters }: Start): string {
  const env = parseEnv({ SECRETS_FILE: secretsFile });
  Atomics.add(gate, 0, 1);
  while (Atomics.load(gate, 0) < starters) {
    // A busy wait, so that the threads start as close together as possible.
  }
  try {
    return loadSecrets(env).passwordPepper;
  } catch (error) {
    return String(error);
  }
}
