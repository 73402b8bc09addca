import { RateLimiterRes } from 'rate-limiter-flexible';
import type { Keyring } from '#app/config/keyring.server.ts';
import type { Counter, CounterStore } from './counters.server.ts';
import { networkPrefix } from '#app/network/ip-address.server.ts';

export interface RateLimitOptions {
  /** Wrong passwords for one account from one network within a quarter of an hour. */
  passwordTriesPerAccount: number;
  /** Wrong passwords from one network, for any accounts, within a quarter of an hour. */
  passwordTriesPerNetwork: number;
  /** Wrong passwords in the whole application within a quarter of an hour. */
  passwordTriesInAll: number;
  /** The same for wrong codes. */
  codeTriesPerAccount: number;
  codeTriesPerNetwork: number;
  codeTriesInAll: number;
  /** Accounts created within an hour from one network, and in the whole application. */
  signUpsPerNetwork: number;
  signUpsInAll: number;
  /** Mails that may be requested to one address from one network within an hour. */
  mailsPerAddress: number;
  /** Mails that may be requested from one network within an hour, to any addresses. */
  mailsPerNetwork: number;
  mailsInAll: number;
}

/** What an attempt guesses. Each kind is counted separately. */
export type AttemptKind = 'password' | 'second-factor' | 'mailed-code';

/** The account of an attempt, and where the attempt comes from. */
interface AttemptSource {
  /** The e-mail that was typed, or the id of the user. */
  account: string;
  ipAddress: string;
  /**
   * Public id of a session of this account, live or ended, that the browser holds; `null` if it holds
   * none. A browser that was signed in before has its own limit, so that an attacker cannot lock the
   * user out (OWASP: device cookies).
   */
  trustedSessionId: string | null;
}

/** The permission for one attempt. */
export type AttemptPermit =
  | {
      isAllowed: true;
      /** Takes the attempt back: only wrong guesses count. */
      refund(): Promise<void>;
    }
  | { isAllowed: false; retryAfterSeconds: number };

/**
 * Counts attempts. Each is counted before it is made, so that concurrent attempts cannot exceed a limit.
 * Every method throws if the counter store is down: then no attempt is allowed.
 */
export interface RateLimits {
  /** Counts one attempt. */
  takeAttempt(kind: AttemptKind, source: AttemptSource): Promise<AttemptPermit>;
  /** Counts one new account. */
  takeSignUp(ipAddress: string): Promise<AttemptPermit>;
  /** Counts one mail to this address. */
  takeMailAttempt(mail: {
    email: string;
    ipAddress: string;
    /** See {@link AttemptSource}. */
    trustedSessionId?: string | null;
  }): Promise<AttemptPermit>;
  /** Deletes every counter of this user. The e-mail is `null` if it is no longer theirs. */
  forget(user: { email: string | null; userId: string }): Promise<void>;
  /** Deletes expired counters. Returns how many; 0 if the store deletes them itself. */
  prune(): Promise<number>;
}

const QUARTER_HOUR_SECONDS = 900;
const HOUR_SECONDS = 3600;
const SECOND_MS = 1000;
/** The limit of an account over all networks: this many times the limit of one network. */
const NETWORKS_PER_ACCOUNT = 10;
/** The same for mails to an address; fewer, because no user wants that many. */
const NETWORKS_PER_ADDRESS = 5;
const PURPOSE = 'rate limits';

type CountedKey = [counter: Counter, key: string];

/**
 * Makes the rate limits of the application.
 *
 * The keys of counters contain accounts, networks and sessions as keyed digests, because an e-mail could
 * be guessed from a digest without a key.
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
  const networkKey = (network: string, name: string) =>
    `network:${keyring.digest(PURPOSE, network)}:${name}`;

  const attemptCounters = (
    kind: AttemptKind,
    perAccount: number,
    perNetwork: number,
    inAll: number,
  ) => {
    const quarterHourly = (points: number) =>
      counters.counter({ points, durationSeconds: QUARTER_HOUR_SECONDS });
    const byDevice = quarterHourly(perAccount);
    const byNetwork = quarterHourly(perNetwork);
    const byAccountAndNetwork = quarterHourly(perAccount);
    const byAccount = hourly(perAccount * NETWORKS_PER_ACCOUNT);
    const byAll = quarterHourly(inAll);
    return ({ account, ipAddress, trustedSessionId }: AttemptSource): CountedKey[] => {
      if (trustedSessionId !== null) {
        return [[byDevice, accountKey(account, `${kind}-device`, trustedSessionId)]];
      }
      const network = networkPrefix(ipAddress);
      // In this order: a network that has used up its own limit takes nothing from the account's limit, nor
      // from the limit of the whole application.
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
  const codeLimits = [codeTriesPerAccount, codeTriesPerNetwork, codeTriesInAll] as const;
  const attempts = {
    password: attemptCounters(
      'password',
      options.passwordTriesPerAccount,
      options.passwordTriesPerNetwork,
      options.passwordTriesInAll,
    ),
    'second-factor': attemptCounters('second-factor', ...codeLimits),
    'mailed-code': attemptCounters('mailed-code', ...codeLimits),
  };
  const signUpsByNetwork = hourly(options.signUpsPerNetwork);
  const signUpsByAll = hourly(options.signUpsInAll);
  const mailsByDevice = hourly(options.mailsPerAddress);
  const mailsByNetwork = hourly(options.mailsPerNetwork);
  const mailsByAddressAndNetwork = hourly(options.mailsPerAddress);
  const mailsByAddress = hourly(options.mailsPerAddress * NETWORKS_PER_ADDRESS);
  const mailsByAll = hourly(options.mailsInAll);

  return {
    takeAttempt: (kind, source) => take(attempts[kind](source)),
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
      // An attacker in one network uses up only that network's share of a user's mails.
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

async function take(countedKeys: CountedKey[]): Promise<AttemptPermit> {
  const refunds: (() => Promise<void>)[] = [];
  const refund = async () => {
    await Promise.all(refunds.map((refundOne) => refundOne()));
  };
  for (const [counter, key] of countedKeys) {
    const count = await countOne(counter, key);
    refunds.push(count.refund);
    if (count.isWithin) continue;
    // A refused attempt is not made, so it counts against no limit, neither this one nor those before it
    // (such as the limit that a whole network shares).
    await refund();
    return { isAllowed: false, retryAfterSeconds: Math.ceil(count.msBeforeNext / SECOND_MS) };
  }
  return { isAllowed: true, refund };
}

async function countOne(counter: Counter, key: string) {
  // Read before the request: a slow answer must not make the window look longer than it is.
  const requestedAt = performance.now();
  const [isWithin, { msBeforeNext }] = await counter.consume(key).then(
    (count) => [true, count] as const,
    (refusal: unknown) => {
      if (refusal instanceof RateLimiterRes) return [false, refusal] as const;
      throw refusal;
    },
  );
  const endsAt = requestedAt + msBeforeNext;
  const refund = async () => {
    // A refund after the end of the window would allow one attempt more in the next.
    if (performance.now() < endsAt) await counter.reward(key);
  };
  return { isWithin, msBeforeNext, refund };
}
