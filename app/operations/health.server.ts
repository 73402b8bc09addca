import type { RequestHandler } from 'express';
import type { Log } from './log.server.ts';
import { SECOND_MS } from '#app/sessions/index.ts';

/** Something without which no request should be sent here. */
export interface ReadinessCheck {
  /** Shown to whoever asks: what it is, and nothing about where. */
  name: string;
  /** False, a throw and no answer in time all say no. */
  check(): Promise<boolean>;
}

/** Something without which requests are answered all the same. */
export interface Besides {
  name: string;
  check: () => boolean;
}

export interface HealthOptions {
  checks: readonly ReadinessCheck[];
  /** What is said to be degraded while its check says no. Default none. */
  besides?: readonly Besides[];
  log: Pick<Log, 'info' | 'warn'>;
  /** How long each check may take, in milliseconds. */
  withinMs?: number;
}

/** What load balancers and supervisors ask. */
export interface Health {
  /** Answers /healthz and /readyz, and leaves everything else to who comes next. */
  answer: RequestHandler;
  /** From now on it is not ready: whoever asks sends people elsewhere. */
  markStopping(): void;
}

const CHECK_WITHIN_MS = 2 * SECOND_MS;
const METHODS = new Set(['GET', 'HEAD']);

/**
 * `/healthz`: the process answers; it asks no dependency. `/readyz`: 200 while every check says yes, with the
 * names of what is degraded besides, else 503 with the names of those that do not. Anybody may ask, so neither tells more than that, and however
 * many ask at the same moment, each check is made once.
 */
export function createHealth(options: HealthOptions): Health {
  const { checks, besides = [], log, withinMs = CHECK_WITHIN_MS } = options;
  let isLeaving = false;
  let asking: Promise<string[]> | null = null;
  let lastFailing = '';

  const askAll = async () => {
    const answers = await Promise.all(checks.map((check) => isPassed(check, withinMs)));
    const failing = checks.filter((_check, index) => !answers[index]).map(({ name }) => name);
    // One line when it changes: it is asked every second.
    if (failing.join() !== lastFailing) {
      if (failing.length > 0) log.warn({ failing }, 'not ready');
      else log.info('ready again');
    }
    lastFailing = failing.join();
    return failing;
  };
  const names = (of: readonly { name: string }[]) => of.map(({ name }) => name);
  const degraded = () => {
    const failing = names(besides.filter(({ check }) => !check()));
    return failing.length > 0 ? { degraded: failing } : {};
  };
  const findFailing = () => (asking ??= askAll().finally(() => (asking = null)));

  return {
    answer(request, response, next) {
      const { path, method } = request;
      if (!METHODS.has(method) || (path !== '/healthz' && path !== '/readyz')) return next();
      response.set('Cache-Control', 'no-store');
      if (path === '/healthz') return void response.json({ status: 'alive' });
      if (isLeaving) return void response.status(503).json({ status: 'stopping' });
      findFailing().then((failing) => {
        // It may have begun to stop meanwhile.
        if (isLeaving) response.status(503).json({ status: 'stopping' });
        else if (failing.length > 0) response.status(503).json({ status: 'not ready', failing });
        else response.json({ status: 'ready', checks: names(checks), ...degraded() });
      }, next);
    },
    markStopping() {
      isLeaving = true;
    },
  };
}

async function isPassed(one: ReadinessCheck, withinMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), withinMs);
  });
  try {
    return await Promise.race([one.check(), late]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
