import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSubscribers } from '../feeds/subscribers.ts';
import type { SessionFeed } from '../session-feed.ts';
import type { Command, Input } from './commands.ts';
import { withTimeout } from '../with-timeout.ts';
import {
  LEASE_MS,
  readLeaseClock,
  systemClock,
  leaseTimesFor,
  type LeaseClock,
} from './lease-time.ts';
import { LeaseProtocol } from './protocol.ts';
import { Rounds } from './rounds.ts';
import type { LeaseLink, LeasesFound, LeaseTransport } from './transport.ts';

export interface LeasedFeedOptions {
  transport: LeaseTransport;
  publish: SessionFeed['publish'];
  log: Pick<Console, 'info' | 'warn'>;
  /** Replaced in tests. */
  clock?: LeaseClock;
  leaseMs?: number;
}

const HELLO_WITHIN_MS = 1000;
/** Needed because the operating system lets a connection hang for minutes. */
const LINK_WITHIN_MS = 3000;
const RETRY_FIRST_MS = 100;
const RETRY_LAST_MS = 1000;
/** Number of renewals within the time of a lease. */
const RENEWALS = 4;

/**
 * Returns a feed with leases. While {@link SessionFeed.isCurrent} is true, the cache may answer, and
 * {@link SessionFeed.settle} waits for every node whose cache might. {@link LeaseProtocol} decides; this
 * function runs its commands with timers and connections.
 */
export function leasedFeed(options: LeasedFeedOptions): SessionFeed {
  const { transport, publish, log, clock = systemClock, leaseMs = LEASE_MS } = options;
  const subscribers = createSubscribers();
  const protocol = new LeaseProtocol(transport.ownAddress, leaseTimesFor(leaseMs));
  const rounds = new Rounds((round) => apply({ kind: 'settle', round }));
  const closing = new AbortController();
  let link: LeaseLink | null = null;
  let lastLink = 0;
  /** The latest deletion of this node's leases. */
  let releasing: Promise<unknown> = Promise.resolve();
  /** Called with the result of the link that is being opened: null if it came up. */
  let onLinkResult: (failure: string | null) => void = () => undefined;
  let retryMs = RETRY_FIRST_MS;
  let isBroken = false;
  let isLinking = false;
  const pause = (ms: number) =>
    sleep(ms, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);

  const apply = (input: Input): void => {
    for (const command of protocol.apply(input, readLeaseClock(clock))) run(command);
  };

  const run = (command: Command): void => {
    switch (command.do) {
      case 'deliver event':
        return subscribers.tell(command.event);
      case 'report link':
        subscribers.tellLink(command.isUp);
        if (command.isUp) onLinkResult(null);
        return;
      case 'drop link':
        return dropLink(command.why);
      case 'release':
        releasing = transport.release(command.leaseIds).catch(() => undefined);
        return;
      case 'wait':
        // If the process was busy, it first reads the messages that wait in its sockets.
        setTimeout(
          () => setImmediate(() => apply({ kind: 'waited', round: command.round })),
          command.ms,
        );
        return;
      case 'finish':
        return rounds.finish(command.round, command.failure);
      case 'ask':
      case 'raise':
      case 'lift':
        return runForRound(command);
      default:
        return runOverLink(command);
    }
  };

  const dropLink = (why: string): void => {
    link?.close().catch(() => undefined);
    link = null;
    const wasUp = !isBroken && !isLinking;
    onLinkResult(why);
    if (!wasUp || closing.signal.aborted) return;
    isBroken = true;
    log.warn(`the news of sessions are cut off (${why}); every request reads its row`);
  };

  const runForRound = (command: Command & { do: 'ask' | 'raise' | 'lift' }): void => {
    const { round } = command;
    const found = (kind: 'asked' | 'raised', { leaseIds, unknownForMs }: LeasesFound): Input => {
      if (unknownForMs > 0) rounds.holdUntil(round, sleep(unknownForMs));
      return { kind, round, leaseIds };
    };
    const send = async (): Promise<Input> => {
      const rest = `${round} ${transport.ownAddress}`;
      if (command.do === 'ask') return found('asked', await transport.ask(`round ${rest}`));
      if (command.do === 'raise') {
        rounds.letNextBegin(round);
        return found('raised', await transport.raise(round, `barrier ${rest}`));
      }
      const wasUp = await transport.lift(round, command.deadLeaseIds);
      return { kind: 'lifted', round, wasUp };
    };
    send().then(apply, (error: unknown) => apply({ kind: 'failed', round, why: messageOf(error) }));
  };

  const runOverLink = (command: Command & { do: 'take' | 'check' | 'rename' | 'answer' }): void => {
    const current = link;
    if (!current) return;
    const { link: number } = command;
    const send = async (): Promise<Input | null> => {
      switch (command.do) {
        case 'take': {
          const barriers = await current.take(command.leaseId, command.before);
          return { kind: 'taken', link: number, barriers };
        }
        case 'check': {
          const { isThere, barriers } = await current.check(command.leaseId);
          return { kind: 'checked', link: number, isThere, barriers };
        }
        case 'rename': {
          const isDone = await current.rename(command.from, command.to);
          return { kind: 'renamed', link: number, isDone };
        }
        case 'answer':
          await current.send(command.address, `answer ${command.round} ${transport.ownAddress}`);
          return null;
      }
    };
    send().then(
      (input) => input && apply(input),
      (error: unknown) => apply({ kind: 'link lost', link: number, why: messageOf(error) }),
    );
  };

  /** Opens a link and takes a lease over it. */
  const openLink = async (number: number): Promise<void> => {
    const losses: string[] = [];
    let onHello: () => void = () => undefined;
    const helloId = randomUUID();
    const received = new Promise<true>((resolve) => {
      onHello = () => resolve(true);
    });
    const opened = await transport.open(
      (text) => {
        if (text === `hello ${helloId}`) onHello();
        else apply({ kind: 'received', link: number, text });
      },
      (why) => {
        losses.push(why);
        apply({ kind: 'link lost', link: number, why });
      },
    );
    try {
      // Detects a pooler, which runs each transaction on any connection and delivers no notifications.
      await transport.sendToSelf(`hello ${helloId}`);
      if (!(await withTimeout(received, { orAfterMs: HELLO_WITHIN_MS, answer: false }))) {
        throw new Error('notifications do not arrive: is there a pooler in between?');
      }
      if (losses.length > 0) throw new Error(losses.join(', '));
      if (closing.signal.aborted || number !== lastLink)
        throw new Error('the link opened too late');
    } catch (error) {
      opened.close().catch(() => undefined);
      throw error;
    }
    link = opened;
    const failure = await new Promise<string | null>((resolve) => {
      onLinkResult = resolve;
      apply({ kind: 'link opened', link: number });
    });
    if (failure !== null) throw new Error(failure);
  };

  const tryToLink = async (): Promise<void> => {
    lastLink += 1;
    const number = lastLink;
    isLinking = true;
    const failure = await withTimeout(
      openLink(number).then(() => null, messageOf),
      { orAfterMs: LINK_WITHIN_MS, answer: 'no answer' },
    );
    if (failure === null) {
      isLinking = false;
      if (isBroken) log.info('the news of sessions arrive again');
      isBroken = false;
      retryMs = RETRY_FIRST_MS;
      return;
    }
    // A new number, so that this link is dropped if it opens late.
    lastLink += 1;
    apply({ kind: 'link lost', link: number, why: failure });
    isLinking = false;
    if (closing.signal.aborted) return;
    if (!isBroken) {
      log.warn(`session events do not arrive (${failure}); every request reads its row`);
    }
    isBroken = true;
    await pause(retryMs * (1 + Math.random()));
    retryMs = Math.min(RETRY_LAST_MS, retryMs * 2);
  };

  const keepLinked = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      const number = protocol.state.link?.number;
      if (number === undefined) await tryToLink();
      else {
        await pause(leaseMs / RENEWALS);
        apply({ kind: 'renewal due', link: number });
      }
    }
  };

  void keepLinked();

  return {
    publish,
    subscribe: (listener) => subscribers.subscribe(listener),
    onLink: (listener) => subscribers.onLink(listener),
    isCurrent: () => protocol.isCurrent(readLeaseClock(clock)),
    settle: () => rounds.settle(),
    async close() {
      closing.abort();
      const number = protocol.state.link?.number;
      if (number !== undefined)
        apply({ kind: 'link lost', link: number, why: 'the feed was closed' });
      subscribers.clear();
      await releasing;
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
