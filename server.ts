import { setTimeout as delay } from 'node:timers/promises';
import { createApplication, type App } from '#app/application.ts';
import { openBase, type Base, type BaseOptions } from '#app/base.server.ts';
import { StartupError } from '#app/config/startup-error.ts';
import { createClosers } from '#app/operations/closers.server.ts';
import { listen } from '#app/operations/listen.server.ts';
import { openLogDestination } from '#app/operations/log-destination.server.ts';
import { stopOnSignals } from '#app/operations/stop-signals.server.ts';
import { welcomeText } from '#app/operations/welcome-text.ts';
import { scheduleCleanup } from '#app/privacy/hourly-cleanup.server.ts';

const FAILED_START_MS = 30_000;

export interface RunningServer extends Pick<Base, 'database' | 'metricsPort'> {
  /** What users type into the browser. */
  origin: string;
  port: number;
  application: App;
  /** Sends waiting mail; `null` if this application sends none. */
  mailWorker: ReturnType<typeof createApplication>['mailWorker'];
  /** Stops gracefully: /readyz fails, load balancers get time, requests finish, everything closes. */
  close(): Promise<void>;
}

/**
 * Makes the application and serves it.
 *
 * @throws {StartupError} with one sentence for the operator.
 */
export async function startServer(options: BaseOptions): Promise<RunningServer> {
  const closers = createClosers();
  try {
    const base = await openBase(options, closers);
    const { env, log, server, now, database, metricsPort } = base;
    const port = await listen(server, { host: env.HOST, port: env.PORT, name: '' });
    // No `await` before `server.on`: the application must be complete before its first request.
    const origin = env.PORT === 0 && !base.hasOrigin ? `http://localhost:${port}` : env.ORIGIN;
    const { web, app, health, mailWorker } = createApplication(base, origin, closers);
    server.on('request', web);
    const job = scheduleCleanup(app, now);
    closers.set('job', () => job.stop());
    closers.set('health', async () => {
      log.info('Latchkey is stopping');
      health.markStopping();
      await delay(base.stopDelayMs);
    });
    // Erasures that a crash interrupted; the hourly job retries what fails now.
    await app.erasures.finishPending();
    log.info({ origin }, 'Latchkey is serving');
    const close = async () => {
      const isClosed = await closers.closeAll(base.stopWithinMs);
      if (!isClosed) log.warn('stopping took too long; the rest is left as after a crash');
    };
    return { origin, port, metricsPort, application: app, mailWorker, database, close };
  } catch (error) {
    await closers.closeAll(FAILED_START_MS);
    throw error;
  }
}

export interface MainOptions {
  /** True if a user reads the output: it ends with what to do next. */
  isWelcoming?: boolean;
}

/** Starts the application from the command line, and stops it on a signal. */
export async function main({ isWelcoming = false }: MainOptions = {}): Promise<void> {
  const logTo = await openLogDestination();
  const starting = startServer({ env: process.env, logTo });
  // From the first moment on: a start under way is finished, and then undone.
  stopOnSignals(async () => (await starting).close());
  try {
    const { origin, application } = await starting;
    if (isWelcoming) logTo.write(welcomeText(origin, { hasOutbox: application.outbox !== null }));
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}
