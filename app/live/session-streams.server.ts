import type { Request, RequestHandler, Response } from 'express';
import { SECOND_MS, type NewsFeed, type SessionEvent, type Sessions } from '#app/sessions/index.ts';
import type { SessionCookie } from '#app/http/session-cookie.server.ts';
import type { Log } from '#app/operations/log.server.ts';
import type { Metrics } from '#app/operations/metrics.server.ts';
import type { SessionMeta } from '#app/visit/proof.ts';
import type { User } from '#app/visit/user.ts';
import { openEventStream } from './event-stream.server.ts';
import { isSameOrigin } from '#app/http/same-origin.server.ts';
import { SessionStream, type StreamEnding } from './session-stream.server.ts';

export const SESSION_EVENTS_PATH = '/session/events';
/** The response header with the reason why there is no session. */
export const ENDED_HEADER = 'Session-Ended';

const MAX_PER_SESSION = 20;
const RETRY_AFTER_SECONDS = 10;
const TICK_MS = SECOND_MS;
/** How many rows are read at the same time when all streams catch up. */
const CHECKS_AT_A_TIME = 8;

interface SessionStreamsOptions {
  origin: string;
  sessions: Pick<Sessions<SessionMeta, User>, 'resume' | 'find' | 'timeouts'>;
  sessionCookie: Pick<SessionCookie, 'read'>;
  metrics: Pick<Metrics, 'streams'>;
  log: Log;
  feed: Pick<NewsFeed, 'subscribe' | 'onLink'>;
  now: () => Date;
  /** The most streams that this process holds open. */
  mostInAll: number;
}

/** The event streams of this process. */
interface SessionStreams {
  /** Answers `GET /session/events`. */
  answer: RequestHandler;
  /** Returns how many streams are open. */
  count(): number;
  /** Sends heartbeats and checks rows that are due; called once a second. */
  tick(now: Date): void;
  /** Ends all streams, so that browsers reconnect to another process, and refuses new ones. */
  close(): Promise<void>;
}

/**
 * Creates the event streams. All streams share one subscription to the feed and one clock; each stream
 * is a few closures and its connection.
 */
export function createSessionStreams(options: SessionStreamsOptions): SessionStreams {
  const { origin, sessions, sessionCookie, feed, metrics, now, log, mostInAll } = options;
  const byUser = new Map<string, Set<SessionStream>>();
  /** Messages that arrive while the row of a new stream is read: they may be newer than that row. */
  const opening = new Set<SessionEvent[]>();
  let open = 0;
  let isClosed = false;
  let isOutageTold = false;

  const isTaking = () => !isClosed;
  const onOutage = (error: unknown) => {
    // One log line, not one for each of thousands of streams.
    if (!isOutageTold) log.warn({ err: error }, 'the rows of event streams cannot be read');
    isOutageTold = true;
  };
  const all = () => [...byUser.values()].flatMap((streams) => [...streams]);
  const stopHearing = feed.subscribe((news) => {
    for (const heard of opening) heard.push(news);
    for (const stream of byUser.get(news.userId) ?? []) stream.hear(news);
  });
  const stopWatching = feed.onLink((isUp) => {
    if (isUp) void checkAll();
  });
  const checkAll = async () => {
    const waiting = all().values();
    const checkOneByOne = async () => {
      for (const stream of waiting) await stream.catchUp();
    };
    await Promise.all(Array.from({ length: CHECKS_AT_A_TIME }, checkOneByOne));
  };
  const tick = (at: Date) => {
    isOutageTold = false;
    for (const streams of byUser.values()) for (const stream of streams) stream.tick(at);
  };
  const clock = setInterval(() => tick(now()), TICK_MS);
  clock.unref();

  const add = (stream: SessionStream, response: Response) => {
    const streams = byUser.get(stream.userId) ?? new Set();
    byUser.set(stream.userId, streams.add(stream));
    open += 1;
    metrics.streams.inc();
    response.once('close', () => {
      stream.end();
      open -= 1;
      metrics.streams.dec();
      streams.delete(stream);
      if (streams.size === 0) byUser.delete(stream.userId);
    });
  };

  const answer = async (request: Request, response: Response) => {
    if (!isFromOwnScript(request, origin)) {
      response.status(403).type('text/plain').send(`This is for the pages of ${origin}.\n`);
      return;
    }
    if (open + opening.size >= mostInAll || !isTaking()) return refuseForNow(response);
    const token = sessionCookie.read(request.headers.cookie);
    if (!token) return refuse(response, 'unknown');
    const heard: SessionEvent[] = [];
    opening.add(heard);
    try {
      const resumed = await sessions.resume(token, now(), { countsAsActivity: false });
      if (resumed.state === 'unknown' || (resumed.state === 'live' && !resumed.user)) {
        return refuse(response, 'unknown');
      }
      if (resumed.state === 'ended') return refuse(response, resumed.ending.reason);
      const { session } = resumed;
      if (request.method === 'HEAD') {
        response.status(200).set('Cache-Control', 'no-store').end();
        return;
      }
      const others = [...(byUser.get(session.userId) ?? [])];
      const held = others.filter(({ sessionId }) => sessionId === session.id).length;
      if (!isTaking() || held >= MAX_PER_SESSION) return refuseForNow(response);
      if (response.destroyed) return;
      const stream = openEventStream(response, now());
      const added = new SessionStream({ stream, sessions, token, session, now, onOutage });
      add(added, response);
      for (const news of heard) if (news.userId === session.userId) added.hear(news);
    } catch (error) {
      onOutage(error);
      refuseForNow(response);
    } finally {
      opening.delete(heard);
    }
  };

  return {
    answer: (request, response, next) => {
      answer(request, response).catch(next);
    },
    count: () => open,
    tick,
    async close() {
      isClosed = true;
      clearInterval(clock);
      stopHearing();
      stopWatching();
      for (const stream of all()) stream.end();
    },
  };
}

/** True for a request of this application's scripts: not for a followed link, or a page of another site. */
function isFromOwnScript(request: Request, origin: string): boolean {
  const source = { origin: request.get('origin'), fetchSite: request.get('sec-fetch-site') };
  // As strict as for a change, because the events reveal when a user signs in and out.
  return isSameOrigin({ ...source, method: 'POST' }, origin);
}

/** Refuses a stream for good: 204 tells an `EventSource` not to reconnect. */
function refuse(response: Response, reason: StreamEnding): void {
  response
    .status(204)
    .set({ 'Cache-Control': 'no-store', [ENDED_HEADER]: reason })
    .end();
}

function refuseForNow(response: Response): void {
  response
    .status(503)
    .set({ 'Cache-Control': 'no-store', 'Retry-After': String(RETRY_AFTER_SECONDS) })
    .end();
}
