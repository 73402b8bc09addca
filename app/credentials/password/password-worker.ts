import { compareSync, hashSync } from 'bcryptjs';

/** A task for a worker thread, so that hashing never blocks other requests. */
export type PasswordTask =
  | { kind: 'hash'; digest: string; cost: number }
  | { kind: 'compare'; digest: string; hash: string };

/** Returns the bcrypt hash, or whether it matches. Runs in a worker thread. */
export default function run(task: PasswordTask): string | boolean {
  return task.kind === 'hash'
    ? hashSync(task.digest, task.cost)
    : compareSync(task.digest, task.hash);
}
