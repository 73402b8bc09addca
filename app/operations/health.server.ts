import type { RequestHandler } from 'express';
import type { Log } from './log.server.ts';
import { SECOND_MS } from '#app/sessions/index.ts';

/** A check of a dependency without which this process should get no requests. */
interface ReadinessCheck {
  /** Public: names the dependency, but not its location. */
  name: string;
  /** The check fails if it returns false, throws, or does not answer in time. */
  check(): Promise<boolean>;
}

/** A check of a dependency without which the process can still answer requests. */
interface Besides {
  name: string;
  check: () => boolean;
}

interface HealthOptions {
  checks: readonly ReadinessCheck[];
  /** Reported as degraded while their checks return false. Default: none. */
  besides?: readonly Besides[];
  log: Pick<Log, 'info' | 'warn'>;
  /** How long each check may take, in milliseconds. */
  withinMs?: number;
}

/** The health endpoints, for load balancers and supervisors. */
interface Health {
  /** Answers /healthz and /readyz, and passes every other request on. */
  answer: RequestHandler;
  /** Makes /readyz fail from now on, so that load balancers send requests elsewhere. */
  markStopping(): void;
}

const CHECK_WITHIN_MS = 2 * SECOND_MS;
const METHODS = new Set(['GET', 'HEAD']);

/**
 * Creates the health endpoints. `/healthz` answers while the process runs, and checks no dependency.
 * `/readyz` answers 200 with the names of degraded dependencies if every check passes, else 503 with
 * the names of the failing checks. Both are public, so they reveal nothing else, and concurrent
 * requests share one run of the checks.
 */
export function createHealth(options: HealthOptions): Health {
  const { checks, besides = [], log, withinMs = CHECK_WITHIN_MS } = options;
  let isStopping = false;
  let runningChecks: Promise<string[]> | null = null;
  let lastFailing = '';

  const runChecks = async () => {
    const answers = await Promise.all(checks.map((check) => isPassed(check, withinMs)));
    const failing = checks.filter((_check, index) => !answers[index]).map(({ name }) => name);
    // Logged only on a change, because load balancers ask every second.
    if (failing.join() !== lastFailing) {
      if (failing.length > 0) log.warn({ failing }, 'not ready');
      else log.info('ready again');
    }
    lastFailing = failing.join();
    return failing;
  };
  const names = (items: readonly { name: string }[]) => items.map(({ name }) => name);
  const degraded = () => {
    const failing = names(besides.filter(({ check }) => !check()));
    return failing.length > 0 ? { degraded: failing } : {};
  };
  const findFailing = () => (runningChecks ??= runChecks().finally(() => (runningChecks = null)));

  return {
    answer(request, response, next) {
      const { path, method } = request;
      if (!METHODS.has(method) || (path !== '/healthz' && path !== '/readyz')) return next();
      response.set('Cache-Control', 'no-store');
      if (path === '/healthz') return void response.json({ status: 'alive' });
      if (isStopping) return void response.status(503).json({ status: 'stopping' });
      findFailing().then((failing) => {
        // The process may have begun to stop meanwhile.
        if (isStopping) response.status(503).json({ status: 'stopping' });
        else if (failing.length > 0) response.status(503).json({ status: 'not ready', failing });
        else response.json({ status: 'ready', checks: names(checks), ...degraded() });
      }, next);
    },
    markStopping() {
      isStopping = true;
    },
  };
}

async function isPassed(readinessCheck: ReadinessCheck, withinMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), withinMs);
  });
  try {
    return await Promise.race([readinessCheck.check(), late]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
