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
  /** Answers what matched in standard output, as soon as it does; rejects when the script ends without. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  finished: Promise<Finished>;
}

/**
 * Runs a file of scripts/ as npm would, with nothing of this process's environment that could
 * change what it does, and from a folder that is not the project's.
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
    // Not the settings of the user who runs the tests.
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
  const said = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(stdout);
        if (match) resolve(match);
      };
      child.stdout.on('data', look);
      look();
      void finished.then((end) =>
        reject(new Error(`It ended (${end.exitCode}) and never said ${pattern}:\n${end.stderr}`)),
      );
    });
  return { process: child, said, finished };
}

/** Runs it to its end. */
export function runScript(...args: Parameters<typeof startScript>): Promise<Finished> {
  return startScript(...args).finished;
}
