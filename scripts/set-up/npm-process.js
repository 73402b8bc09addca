import { readFileSync } from 'node:fs';

const CHECK_EVERY_MS = 300;
/** The name that npm gives its own process, such as "npm start". */
const NPM = /^npm\b/;
/** The chain from this process up to npm is a shell, perhaps a second shell, and npm. */
const MOST_ANCESTORS = 4;
/** The state of a process that has ended but whose parent has not read its exit code yet. */
const ZOMBIE = 'Z';

/**
 * Sends this process a SIGTERM once the npm that started it has ended, for whatever reason. npm forwards a
 * SIGTERM to a shell that may not forward it further, and nothing can forward a SIGKILL. Does nothing if
 * npm did not start this process: then it may outlive its parent.
 */
export function stopWithNpm() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const npm = findNpm(parent);
  const timer = setInterval(() => {
    if (process.ppid === parent && (npm === null || NPM.test(readProcess(npm)?.name ?? ''))) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, CHECK_EVERY_MS);
  timer.unref();
}

/**
 * Returns the process id of npm. Returns null on a system without /proc, where the caller can only watch
 * its parent.
 *
 * @param {number} from
 */
function findNpm(from) {
  let pid = from;
  for (let step = 0; step < MOST_ANCESTORS; step += 1) {
    const found = readProcess(pid);
    if (!found) return null;
    if (NPM.test(found.name)) return pid;
    pid = found.parent;
  }
  return null;
}

/**
 * @param {number} pid
 * @returns {{ name: string, parent: number } | null}
 */
function readProcess(pid) {
  try {
    // "<pid> (<name>) <state> <parent> …"; a name may hold spaces and brackets.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const end = stat.lastIndexOf(')');
    const [state, parent] = stat.slice(end + 2).split(' ');
    if (state === ZOMBIE) return null;
    return { name: stat.slice(stat.indexOf('(') + 1, end), parent: Number(parent) };
  } catch {
    return null;
  }
}
