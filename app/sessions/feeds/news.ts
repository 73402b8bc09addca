import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NewsFeed, SessionEvent } from '../session-feed.ts';
import { withTimeout } from '../with-timeout.ts';
import { createSubscribers } from './subscribers.ts';

/** A connection that hears what is told to all; it is closed when it broke, too. */
export interface NewsLink {
  close(): Promise<unknown>;
}

/** How news travel between nodes. */
export interface NewsTransport {
  /** Sends a text to this node alone, over another connection than the link. */
  sayToSelf(text: string): Promise<unknown>;
  /**
   * @param heard gets everything that is told to all, and to this node.
   * @param lost called when something may have been missed; any number of times.
   */
  open(heard: (text: string) => void, lost: (why: string) => void): Promise<NewsLink>;
}

export interface NewsFeedOptions {
  transport: NewsTransport;
  log: Pick<Console, 'info' | 'warn'>;
  /** How often the node looks whether it still hears itself, in milliseconds. Default two seconds. */
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
 * News at best effort, for pages that are open: nothing about who may enter depends on it, and no
 * request waits for it. A link that is silent is noticed within seconds and made anew.
 */
export function newsFeed(options: NewsFeedOptions): NewsFeed {
  const { transport, log, checkEveryMs = CHECK_EVERY_MS } = options;
  const subscribers = createSubscribers();
  const hellos = new Map<string, () => void>();
  const closing = new AbortController();
  const isClosed = () => closing.signal.aborted;
  let link: NewsLink | null = null;
  let isBroken = false;
  const pause = (ms: number) =>
    sleep(ms, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);

  const hear = (text: string) => {
    const [kind = '', first = ''] = text.split(' ', 2);
    if (kind === 'hello') return hellos.get(first)?.();
    // A user's id may have spaces.
    const userId = text.slice(kind.length + first.length + 2);
    const id = first === '*' ? null : first;
    if (KINDS.has(kind)) subscribers.tell({ kind: kind as SessionEvent['kind'], id, userId });
  };

  // Over another connection than the link: a pooler delivers no notifications.
  const hello = async (): Promise<void> => {
    const id = randomUUID();
    const heard = new Promise<true>((resolve) => hellos.set(id, () => resolve(true)));
    const asked = transport.sayToSelf(`hello ${id}`).then(() => heard);
    try {
      if (!(await withTimeout(asked, { orAfterMs: HELLO_WITHIN_MS, answer: false }))) {
        throw new Error('notifications do not arrive: is there a pooler in between?');
      }
    } finally {
      hellos.delete(id);
    }
  };

  const lose = (lost: NewsLink, why: string) => {
    lost.close().catch(() => undefined);
    if (link !== lost) return;
    link = null;
    subscribers.tellLink(false);
    if (!isClosed()) noteFailure(`the news of sessions are cut off (${why})`);
  };

  const noteFailure = (message: string) => {
    if (!isBroken) log.warn(`${message}; open pages hear of changes late`);
    isBroken = true;
  };

  const openLink = async (isGivenUp: () => boolean): Promise<void> => {
    let opened: NewsLink | null = null;
    const losses: string[] = [];
    opened = await transport.open(hear, (why) => {
      losses.push(why);
      if (opened) lose(opened, why);
    });
    try {
      await hello();
      if (losses[0] !== undefined) throw new Error(losses[0]);
      if (isGivenUp()) throw new Error('this link came too late');
    } catch (error) {
      opened.close().catch(() => undefined);
      throw error;
    }
    link = opened;
    if (isBroken) log.info('the news of sessions arrive again');
    isBroken = false;
    // Something may have been missed: open pages look at their rows.
    subscribers.tellLink(true);
  };

  const keepLinked = async (): Promise<void> => {
    let retryMs = RETRY_FIRST_MS;
    while (!isClosed()) {
      const held = link;
      if (held) {
        retryMs = RETRY_FIRST_MS;
        await pause(checkEveryMs);
        if (isClosed() || link !== held) continue;
        const silence = await failureOf(hello());
        if (silence !== null) lose(held, silence);
        continue;
      }
      let isLate = false;
      const failure = await withTimeout(failureOf(openLink(() => isLate || isClosed())), {
        orAfterMs: LINK_WITHIN_MS,
        answer: 'no answer',
      });
      isLate = true;
      if (failure === null || isClosed()) continue;
      noteFailure(`no news of sessions (${failure})`);
      await pause(retryMs * (1 + Math.random()));
      retryMs = Math.min(RETRY_LAST_MS, retryMs * 2);
    }
  };
  void keepLinked();

  return {
    // Triggers and scripts tell, of what no process of ours has done, too.
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
