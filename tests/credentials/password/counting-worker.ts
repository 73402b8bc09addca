import { appendFileSync } from 'node:fs';
import run from '#app/credentials/password/password-worker.ts';
import type { PasswordTask } from '#app/credentials/password/password-worker.ts';

/** Runs the application's password worker, and appends each task to a file. */
export default function countAndRun(task: PasswordTask): string | boolean {
  appendFileSync(process.env.HASHING_NOTES!, `${JSON.stringify(task)}\n`);
  return run(task);
}
