import { readFileSync } from 'node:fs';

const LOOK_EVERY_MS = 300;
/** The name that npm gives its own process, such as "npm start". */
const NPM = /^npm\b/;
/** npm, a shell, perhaps another one that the first started. */
const MOST_ANCESTORS = 4;
/** Its parent has not asked for its exit code yet. */
const ENDED = 'Z';

/**
 * Sends this process a SIGTERM when the npm that started it is gone, however that ended: npm passes a
 * SIGTERM on to a shell which may not pass it on, and nothing can pass on a SIGKILL. A process that
 * npm did not start is left alone: it may outlive its parent.
 */
export function stopWithNpm() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const npm = findNpm(parent);
  const timer = setInterval(() => {
    if (process.ppid === parent && (npm === null || NPM.test(readProcess(npm)?.name ?? ''))) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, LOOK_EVERY_MS);
  timer.unref();
}

/**
 * Returns the process id of npm, or null where the system has no /proc to ask: there the shell's end
 * has to do.
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
    if (state === ENDED) return null;
    return { name: stat.slice(stat.indexOf('(') + 1, end), parent: Number(parent) };
  } catch {
    return null;
  }
}
