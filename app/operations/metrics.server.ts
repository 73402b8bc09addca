import type { EndReason } from '#app/sessions/index.ts';

/** The metrics of the application, for operators. They never identify a user. */
export interface Metrics {
  requests: {
    /**
     * Records one finished request.
     *
     * @param route a pattern from a bounded set; never a path.
     * @param status `null`: the connection closed before a response.
     */
    observe(
      request: { method: string; route: string; status: number | null },
      durationMs: number,
    ): void;
  };
  /**
   * Counts session look-ups: `hit` from the cache, `miss` from the row, `bypass` from the row because the
   * cache may not be used at the moment.
   */
  lookups: { inc(labels: { result: 'hit' | 'miss' | 'bypass' }): void };
  /** Counts open event streams. */
  streams: { inc(): void; dec(): void };
  /** Counts sessions that ended before they expired. */
  revocations: { inc(labels: { reason: EndReason }, count?: number): void };
  /** Counts rows that were removed at the end of their retention period. */
  pruned: { inc(labels: { what: string }, count: number): void };
  /** Adds a gauge of the feed's connection, read whenever metrics are read. */
  watchFeed(isLinked: () => boolean): void;
}

/** Metrics with their output. */
export interface ShownMetrics extends Metrics {
  contentType: string;
  /** Returns all metrics in the text format of Prometheus. */
  text(): Promise<string>;
  /** Clears the metrics, and stops watching the process. */
  close(): void;
}

const doNothing = () => undefined;

/** Metrics that count nothing, and load no library. */
export const noMetrics: Metrics = {
  requests: { observe: doNothing },
  lookups: { inc: doNothing },
  streams: { inc: doNothing, dec: doNothing },
  revocations: { inc: doNothing },
  pruned: { inc: doNothing },
  watchFeed: doNothing,
};

const PREFIX = 'latchkey_';
const SECOND_IN_MS = 1000;
const DURATION_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Other methods are counted as "other", because a client may invent any number of them. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PATCH', 'DELETE']);

/**
 * Creates metrics with prom-client. Each application in a process gets its own registry.
 *
 * @param waitingHashes returns how many passwords wait for a hashing thread.
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
    help: 'Duration of requests by method, route pattern and status class.',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: DURATION_BUCKETS_SECONDS,
    registers,
  });
  const lookups = new Counter({
    name: `${PREFIX}session_lookups_total`,
    help: 'Session look-ups: hit (cache), miss (row), bypass (row, because the cache may not be used).',
    labelNames: ['result'] as const,
    registers,
  });
  const streams = new Gauge({
    name: `${PREFIX}live_streams`,
    help: 'Open event streams.',
    registers,
  });
  const revocations = new Counter({
    name: `${PREFIX}revocations_total`,
    help: 'Sessions that ended before they expired, by reason.',
    labelNames: ['reason'] as const,
    registers,
  });
  const pruned = new Counter({
    name: `${PREFIX}pruned_rows_total`,
    help: 'Rows removed at the end of their retention period.',
    labelNames: ['what'] as const,
    registers,
  });
  new Gauge({
    name: `${PREFIX}password_hashes_waiting`,
    help: 'Passwords that wait for a hashing thread.',
    registers,
    collect() {
      this.set(waitingHashes());
    },
  });
  // Starts the counters at 0: Prometheus can compute a rate of the first increment only if 0 was seen.
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
        help: '1 while changes of other nodes arrive, 0 while open pages show changes late.',
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
