import type { EndReason } from '#app/sessions/index.ts';

/** What is counted of the application, for whoever runs it. Nothing here names a person. */
export interface Metrics {
  requests: {
    /**
     * One request is over.
     *
     * @param route a pattern, of which there is a bounded number; never a path.
     * @param status null: it was cut off before there was an answer.
     */
    observe(
      request: { method: string; route: string; status: number | null },
      durationMs: number,
    ): void;
  };
  /** Sessions looked up: from memory, in the row, or in the row because memory may not answer just now. */
  lookups: { inc(labels: { result: 'hit' | 'miss' | 'bypass' }): void };
  /** Event streams that are open. */
  streams: { inc(): void; dec(): void };
  /** Sessions that were ended before their time. */
  revocations: { inc(labels: { reason: EndReason }, count?: number): void };
  /** Rows that went because they had been kept for as long as they are. */
  pruned: { inc(labels: { what: string }, count: number): void };
  /** Shows whether news of other nodes arrive, asked whenever metrics are read. */
  watchFeed(isLinked: () => boolean): void;
}

/** Metrics, and how to show them. */
export interface ShownMetrics extends Metrics {
  contentType: string;
  /** All of them, in the text format of Prometheus. */
  text(): Promise<string>;
  /** Forgets what was counted, and stops watching the process. */
  close(): void;
}

const nothing = () => undefined;

/** Nobody looks: nothing is counted, and nothing loaded. */
export const noMetrics: Metrics = {
  requests: { observe: nothing },
  lookups: { inc: nothing },
  streams: { inc: nothing, dec: nothing },
  revocations: { inc: nothing },
  pruned: { inc: nothing },
  watchFeed: nothing,
};

const PREFIX = 'latchkey_';
const SECOND_IN_MS = 1000;
const DURATION_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Anybody may make up another one. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PATCH', 'DELETE']);

/**
 * Counts by prom-client, in a registry of its own: of two applications in one process each has its own.
 *
 * @param waitingHashes how many passwords wait for a thread just now.
 */
export async function createMetrics({
  waitingHashes,
}: {
  waitingHashes: () => number;
}): Promise<ShownMetrics> {
  const { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } =
    await import('prom-client');
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: `${PREFIX}request_duration_seconds`,
    help: 'Requests by method, pattern of the route and class of the status, and how long they took.',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: DURATION_BUCKETS_SECONDS,
    registers,
  });
  const lookups = new Counter({
    name: `${PREFIX}session_lookups_total`,
    help: 'Sessions looked up: hit (memory), miss (the row), bypass (the row, as memory may not answer).',
    labelNames: ['result'] as const,
    registers,
  });
  const streams = new Gauge({
    name: `${PREFIX}live_streams`,
    help: 'Event streams that are open.',
    registers,
  });
  const revocations = new Counter({
    name: `${PREFIX}revocations_total`,
    help: 'Sessions ended before their time, by reason.',
    labelNames: ['reason'] as const,
    registers,
  });
  const pruned = new Counter({
    name: `${PREFIX}pruned_rows_total`,
    help: 'Rows removed because they had been kept for as long as they are.',
    labelNames: ['what'] as const,
    registers,
  });
  new Gauge({
    name: `${PREFIX}password_hashes_waiting`,
    help: 'Passwords that wait for a thread to hash them.',
    registers,
    collect() {
      this.set(waitingHashes());
    },
  });
  // A rate can be told from the first change on only if what had not happened yet counts as 0.
  for (const result of ['hit', 'miss', 'bypass'] as const) lookups.inc({ result }, 0);

  return {
    requests: {
      observe({ method, route, status }, durationMs) {
        requests.observe(
          {
            method: METHODS.has(method) ? method : 'other',
            route,
            status: status === null ? 'cut off' : `${Math.floor(status / 100)}xx`,
          },
          durationMs / SECOND_IN_MS,
        );
      },
    },
    lookups: { inc: (labels) => lookups.inc(labels) },
    streams: { inc: () => streams.inc(), dec: () => streams.dec() },
    revocations: { inc: (labels, count = 1) => revocations.inc(labels, count) },
    pruned: { inc: (labels, count) => pruned.inc(labels, count) },
    watchFeed(isLinked) {
      new Gauge({
        name: `${PREFIX}feed_linked`,
        help: '1 while news of other nodes arrive, 0 while open pages hear of changes late.',
        registers,
        collect() {
          this.set(isLinked() ? 1 : 0);
        },
      });
    },
    contentType: registry.contentType,
    text: () => registry.metrics(),
    close: () => registry.clear(),
  };
}
