import { RateLimiterRes } from 'rate-limiter-flexible';
import type { Keyring } from '#app/config/keyring.server.ts';
import type { Counter, CounterStore } from './counters.server.ts';
import { networkPrefix } from '#app/network/ip-address.server.ts';

export interface RateLimitOptions {
  /** Wrong passwords for one account from one network within a quarter of an hour. */
  passwordTriesPerAccount: number;
  /** Wrong passwords from one network, for whatever accounts, within a quarter of an hour. */
  passwordTriesPerNetwork: number;
  /** Wrong passwords in the whole application within a quarter of an hour: a flood. */
  passwordTriesInAll: number;
  /** Wrong codes, likewise. */
  codeTriesPerAccount: number;
  codeTriesPerNetwork: number;
  codeTriesInAll: number;
  /** Accounts made from one network within an hour, and in all. */
  signUpsPerNetwork: number;
  signUpsInAll: number;
  /** Mails that may be asked for to one address from one network within an hour. */
  mailsPerAddress: number;
  /** Mails that may be asked for from one network within an hour, to whatever addresses. */
  mailsPerNetwork: number;
  mailsInAll: number;
}

/** What can be guessed. Tries of one kind take none of another. */
export type AttemptKind = 'password' | 'second-factor' | 'mailed-code';

/** Who tries, and at whose account. */
export interface AttemptSource {
  /** The e-mail that was typed, or the id of the user. */
  account: string;
  ipAddress: string;
  /**
   * Public id of a session of this very account that the browser holds or held; null when it holds
   * none. A browser that was signed in before has tries of its own, so that nobody can use up those
   * of another person (OWASP: device cookies).
   */
  trustedSessionId: string | null;
}

/** Leave to try once. */
export type AttemptPermit =
  | {
      isAllowed: true;
      /** Gives the try back: only wrong guesses count. */
      refund(): Promise<void>;
    }
  | { isAllowed: false; retryAfterSeconds: number };

/**
 * Counts what can be guessed. A try is taken before it is made, so that many at once do not get by.
 * All of it throws when the counters are down: no leave is given then.
 */
export interface RateLimits {
  takeAttempt(kind: AttemptKind, trier: AttemptSource): Promise<AttemptPermit>;
  takeSignUp(ipAddress: string): Promise<AttemptPermit>;
  /** Leave to have one mail sent to this address. */
  takeMailAttempt(asked: {
    email: string;
    ipAddress: string;
    /** As that of a {@link AttemptSource}. */
    trustedSessionId?: string | null;
  }): Promise<AttemptPermit>;
  /** Deletes every counter of this person. A null e-mail is no longer theirs. */
  forget(user: { email: string | null; userId: string }): Promise<void>;
  /** Deletes counters that have run out. Answers how many; 0 where they go by themselves. */
  prune(): Promise<number>;
}

const QUARTER_HOUR_SECONDS = 900;
const HOUR_SECONDS = 3600;
const SECOND_MS = 1000;
/** An account that many networks try at once: this many times what one of them may. */
const NETWORKS_PER_ACCOUNT = 10;
/** An address to which many networks have mail sent; fewer, for nobody wants that many. */
const NETWORKS_PER_ADDRESS = 5;
const PURPOSE = 'rate limits';

type Counted = [counter: Counter, key: string];

/**
 * The limits of the application.
 *
 * No key of a counter names anybody: accounts, networks and sessions stand in it as keyed digests, for
 * an e-mail can be guessed from a plain one.
 */
export function createRateLimits(
  options: RateLimitOptions,
  counters: CounterStore,
  keyring: Keyring,
): RateLimits {
  const accountKey = (account: string, name: string, from?: string) => {
    const key = `account:${keyring.digest(PURPOSE, account)}:${name}`;
    return from === undefined ? key : `${key}:${keyring.digest(PURPOSE, from)}`;
  };
  const networkKey = (network: string, what: string) =>
    `network:${keyring.digest(PURPOSE, network)}:${what}`;

  const triesOf = (kind: AttemptKind, perAccount: number, perNetwork: number, inAll: number) => {
    const quarterHourly = (points: number) =>
      counters.counter({ points, durationSeconds: QUARTER_HOUR_SECONDS });
    const byDevice = quarterHourly(perAccount);
    const byNetwork = quarterHourly(perNetwork);
    const byAccountAndNetwork = quarterHourly(perAccount);
    const byAccount = hourly(perAccount * NETWORKS_PER_ACCOUNT);
    const byAll = quarterHourly(inAll);
    return ({ account, ipAddress, trustedSessionId }: AttemptSource): Counted[] => {
      if (trustedSessionId !== null) {
        return [[byDevice, accountKey(account, `${kind}-device`, trustedSessionId)]];
      }
      const network = networkPrefix(ipAddress);
      // In this order: a network that has used up its own tries takes none of the account's, and none
      // of everybody's.
      return [
        [byNetwork, networkKey(network, kind)],
        [byAccountAndNetwork, accountKey(account, `${kind}-network`, network)],
        [byAccount, accountKey(account, kind)],
        [byAll, `all:${kind}`],
      ];
    };
  };
  const hourly = (points: number) => counters.counter({ points, durationSeconds: HOUR_SECONDS });
  const { codeTriesPerAccount, codeTriesPerNetwork, codeTriesInAll } = options;
  const codeTries = [codeTriesPerAccount, codeTriesPerNetwork, codeTriesInAll] as const;
  const tries = {
    password: triesOf(
      'password',
      options.passwordTriesPerAccount,
      options.passwordTriesPerNetwork,
      options.passwordTriesInAll,
    ),
    'second-factor': triesOf('second-factor', ...codeTries),
    'mailed-code': triesOf('mailed-code', ...codeTries),
  };
  const signUpsByNetwork = hourly(options.signUpsPerNetwork);
  const signUpsByAll = hourly(options.signUpsInAll);
  const mailsByDevice = hourly(options.mailsPerAddress);
  const mailsByNetwork = hourly(options.mailsPerNetwork);
  const mailsByAddressAndNetwork = hourly(options.mailsPerAddress);
  const mailsByAddress = hourly(options.mailsPerAddress * NETWORKS_PER_ADDRESS);
  const mailsByAll = hourly(options.mailsInAll);

  return {
    takeAttempt: (kind, trier) => take(tries[kind](trier)),
    takeSignUp: (ipAddress) =>
      take([
        [signUpsByNetwork, networkKey(networkPrefix(ipAddress), 'sign-up')],
        [signUpsByAll, 'all:sign-up'],
      ]),
    takeMailAttempt({ email, ipAddress, trustedSessionId = null }) {
      if (trustedSessionId !== null) {
        return take([[mailsByDevice, accountKey(email, 'mail-device', trustedSessionId)]]);
      }
      const network = networkPrefix(ipAddress);
      // A stranger in one network uses up no more than its own share of somebody's mails.
      return take([
        [mailsByNetwork, networkKey(network, 'mail')],
        [mailsByAddressAndNetwork, accountKey(email, 'mail-network', network)],
        [mailsByAddress, accountKey(email, 'mail')],
        [mailsByAll, 'all:mail'],
      ]);
    },
    async forget({ email, userId }) {
      for (const account of email === null ? [userId] : [email, userId]) {
        for (const digest of keyring.digests(PURPOSE, account)) {
          await counters.forget(`account:${digest}:`);
        }
      }
    },
    prune: () => counters.prune(),
  };
}

async function take(counted: Counted[]): Promise<AttemptPermit> {
  const taken: (() => Promise<void>)[] = [];
  const refund = async () => {
    await Promise.all(taken.map((giveOneBack) => giveOneBack()));
  };
  for (const [counter, key] of counted) {
    const count = await countOne(counter, key);
    taken.push(count.refund);
    if (count.isWithin) continue;
    // What was refused was not tried: it takes nothing of this limit, nor of those before it, such
    // as that of everybody in the same network.
    await refund();
    return { isAllowed: false, retryAfterSeconds: Math.ceil(count.msBeforeNext / SECOND_MS) };
  }
  return { isAllowed: true, refund };
}

async function countOne(counter: Counter, key: string) {
  // Before the counter is asked: a late answer must not make the window look longer than it is.
  const askedAt = performance.now();
  const [isWithin, { msBeforeNext }] = await counter.consume(key).then(
    (count) => [true, count] as const,
    (refusal: unknown) => {
      if (refusal instanceof RateLimiterRes) return [false, refusal] as const;
      throw refusal;
    },
  );
  const endsAt = askedAt + msBeforeNext;
  const refund = async () => {
    // Given back to a window that is over, it would be one more in the next.
    if (performance.now() < endsAt) await counter.reward(key);
  };
  return { isWithin, msBeforeNext, refund };
}
