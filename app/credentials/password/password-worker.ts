import { compareSync, hashSync } from 'bcryptjs';

/** A piece of work for the thread that hashes, so that a sign-in never holds up other requests. */
export type PasswordTask =
  | { kind: 'hash'; digest: string; cost: number }
  | { kind: 'compare'; digest: string; hash: string };

/** Runs in a worker thread: the bcrypt hash, or whether it matches. */
export default function run(task: PasswordTask): string | boolean {
  return task.kind === 'hash'
    ? hashSync(task.digest, task.cost)
    : compareSync(task.digest, task.hash);
}
