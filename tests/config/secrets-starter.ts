import { parseEnv } from '#app/config/env.server.ts';
import { loadSecrets } from '#app/config/secrets.server.ts';

interface Start {
  secretsFile: string;
  /** How many stand here already. */
  gate: Int32Array;
  starters: number;
}

/** One of the processes of `secrets.test.ts` that start at the same moment. Answers the pepper, or the refusal. */
export default function startTogether({ secretsFile, gate, starters }: Start): string {
  const env = parseEnv({ SECRETS_FILE: secretsFile });
  Atomics.add(gate, 0, 1);
  while (Atomics.load(gate, 0) < starters) {
    // Waits without a pause: the closer together, the better the test.
  }
  try {
    return loadSecrets(env).passwordPepper;
  } catch (error) {
    return String(error);
  }
}
