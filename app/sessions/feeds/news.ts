import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NewsFeed, SessionEvent } from '../session-feed.ts';
import { withTimeout } from '../with-timeout.ts';
import { createSubscribers } from './subscribers.ts';

/** A connection that receives messages. The feed closes it even if it broke. */
export interface NewsLink {
  close(): Promise<unknown>;
}

/** Carries messages between nodes. */
export interface NewsTransport {
  /** Sends a text to this node alone, over another connection than the link. */
  sendToSelf(text: string): Promise<unknown>;
  /**
   * @param onMessage gets every message to all nodes, and to this node.
   * @param onLost called when a message may have been missed; any number of times.
   */
  open(onMessage: (text: string) => void, onLost: (why: string) => void): Promise<NewsLink>;
}

export interface NewsFeedOptions {
  transport: NewsTransport;
  log: Pick<Console, 'info' | 'warn'>;
  /** How often the node checks that it still receives its own messages, in milliseconds. Default 2000. */
  checkEveryMs?: number;
}

const LINK_WITHIN_MS = 5000;
const HELLO_WITHIN_MS = 2000;
const CHECK_EVERY_MS = 2000;
const RETRY_FIRST_MS = 100;
const RETRY_LAST_MS = 2000;
const CLOSE_WITHIN_MS = 1000;
const KINDS: ReadonlySet<string> = new Set(['started', 'changed', 'ended']);

/**
 * Returns a feed at best effort, for open pages. No access decision depends on it, and no request waits
 * for it. It detects a dead link within seconds and opens a new one.
 */
export function newsFeed(options: NewsFeedOptions): NewsFeed {
  const { transport, log, checkEveryMs = CHECK_EVERY_MS } = options;
  const subscribers = createSubscribers();
  const pendingHellos = new Map<string, () => void>();
  const closing = new AbortController();
  const isClosed = () => closing.signal.aborted;
  let link: NewsLink | null = null;
  let isBroken = false;
  const pause = (ms: number) =>
    sleep(ms, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);

  const onMessage = (text: string) => {
    const [kind = '', first = ''] = text.split(' ', 2);
    if (kind === 'hello') return pendingHellos.get(first)?.();
    // A user's id may contain spaces.
    const userId = text.slice(kind.length + first.length + 2);
    const id = first === '*' ? null : first;
    if (KINDS.has(kind)) subscribers.tell({ kind: kind as SessionEvent['kind'], id, userId });
  };

  /**
   * Sends a message to this node over another connection, because a pooler delivers no notifications.
   *
   * @throws if the message does not arrive over the link.
   */
  const checkLink = async (): Promise<void> => {
    const id = randomUUID();
    const received = new Promise<true>((resolve) => pendingHellos.set(id, () => resolve(true)));
    const answered = transport.sendToSelf(`hello ${id}`).then(() => received);
    try {
      if (!(await withTimeout(answered, { orAfterMs: HELLO_WITHIN_MS, answer: false }))) {
        throw new Error('notifications do not arrive: is there a pooler in between?');
      }
    } finally {
      pendingHellos.delete(id);
    }
  };

  const dropLink = (lost: NewsLink, why: string) => {
    lost.close().catch(() => undefined);
    if (link !== lost) return;
    link = null;
    subscribers.tellLink(false);
    if (!isClosed()) logFailure(`the news of sessions are cut off (${why})`);
  };

  const logFailure = (message: string) => {
    if (!isBroken) log.warn(`${message}; open pages show changes late`);
    isBroken = true;
  };

  const openLink = async (isAbandoned: () => boolean): Promise<void> => {
    let opened: NewsLink | null = null;
    const losses: string[] = [];
    opened = await transport.open(onMessage, (why) => {
      losses.push(why);
      if (opened) dropLink(opened, why);
    });
    try {
      await checkLink();
      if (losses[0] !== undefined) throw new Error(losses[0]);
      if (isAbandoned()) throw new Error('the link opened too late');
    } catch (error) {
      opened.close().catch(() => undefined);
      throw error;
    }
    link = opened;
    if (isBroken) log.info('the news of sessions arrive again');
    isBroken = false;
    // An event may have been missed, so open pages reload their sessions.
    subscribers.tellLink(true);
  };

  const keepLinked = async (): Promise<void> => {
    let retryMs = RETRY_FIRST_MS;
    while (!isClosed()) {
      const current = link;
      if (current) {
        retryMs = RETRY_FIRST_MS;
        await pause(checkEveryMs);
        if (isClosed() || link !== current) continue;
        const failure = await failureOf(checkLink());
        if (failure !== null) dropLink(current, failure);
        continue;
      }
      let isLate = false;
      const failure = await withTimeout(failureOf(openLink(() => isLate || isClosed())), {
        orAfterMs: LINK_WITHIN_MS,
        answer: 'no answer',
      });
      isLate = true;
      if (failure === null || isClosed()) continue;
      logFailure(`session events do not arrive (${failure})`);
      await pause(retryMs * (1 + Math.random()));
      retryMs = Math.min(RETRY_LAST_MS, retryMs * 2);
    }
  };
  void keepLinked();

  return {
    // Triggers and scripts publish, also changes that other programs make.
    publish: () => undefined,
    subscribe: (listener) => subscribers.subscribe(listener),
    onLink: (listener) => subscribers.onLink(listener),
    isLinked: () => link !== null,
    async close() {
      closing.abort();
      const last = link;
      link = null;
      subscribers.clear();
      const closed = last?.close().catch(() => undefined) ?? Promise.resolve();
      await withTimeout(closed, { orAfterMs: CLOSE_WITHIN_MS, answer: undefined });
    },
  };
}

const failureOf = (work: Promise<unknown>): Promise<string | null> =>
  work.then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
