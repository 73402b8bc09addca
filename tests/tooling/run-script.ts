import { spawn, type ChildProcess } from 'node:child_process';
import { inProject } from '../../scripts/set-up/project.js';
import { clockOfTheRun } from '../fixtures/clock-of-the-run.ts';

export interface Finished {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

export interface RunningScript {
  process: ChildProcess;
  /** Resolves to the match once standard output matches; rejects if the script ends without a match. */
  waitForOutput(pattern: RegExp): Promise<RegExpExecArray>;
  finished: Promise<Finished>;
}

/**
 * Starts a file of scripts/ as npm does, from a folder outside the project, and without the variables of
 * this process's environment that could change its behaviour.
 */
export function startScript(
  script: string,
  env: Record<string, string>,
  { args = [], nodeArgs = [] }: { args?: string[]; nodeArgs?: string[] } = {},
): RunningScript {
  const environment: Record<string, string | undefined> = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    ...clockOfTheRun,
    // Ignore the developer's own .env.
    ENV_FILE: '',
    ...env,
  };
  const child = spawn(process.execPath, [...nodeArgs, inProject('scripts', script), ...args], {
    cwd: '/',
    env: environment as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const finished = new Promise<Finished>((resolve) => {
    child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
  const waitForOutput = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const check = () => {
        const match = pattern.exec(stdout);
        if (match) resolve(match);
      };
      child.stdout.on('data', check);
      check();
      void finished.then((end) =>
        reject(new Error(`The script ended (${end.exitCode}) without ${pattern}:\n${end.stderr}`)),
      );
    });
  return { process: child, waitForOutput, finished };
}

/** Runs a script like {@link startScript}, and waits for its end. */
export function runScript(...args: Parameters<typeof startScript>): Promise<Finished> {
  return startScript(...args).finished;
}
