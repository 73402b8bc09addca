import { appendFileSync } from 'node:fs';
import run from '#app/credentials/password/password-worker.ts';
import type { PasswordTask } from '#app/credentials/password/password-worker.ts';

/** The worker of the application, which also writes down what it was asked to do. */
export default function countAndRun(task: PasswordTask): string | boolean {
  appendFileSync(process.env.HASHING_NOTES!, `${JSON.stringify(task)}\n`);
  return run(task);
}
