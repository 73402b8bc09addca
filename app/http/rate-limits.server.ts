import { createHash } from 'node:crypto';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { networkOf } from './network-of.server.ts';

export interface RateLimitOptions {
  /** Wrong passwords for one account from one network within a quarter of an hour. */
  passwordTriesPerAccount: number;
  /** Wrong passwords from one network, for whatever accounts, within a quarter of an hour. */
  passwordTriesPerNetwork: number;
  /** Wrong codes, likewise. */
  codeTriesPerAccount: number;
  codeTriesPerNetwork: number;
  /** Accounts made from one network within an hour. */
  signUpsPerNetwork: number;
  /** Mails that may be asked for to one address within an hour. */
  mailsPerAddress: number;
  /** Mails that may be asked for from one network within an hour, to whatever addresses. */
  mailsPerNetwork: number;
}

/** What can be guessed. Tries of one kind take none of another. */
export type Guessable = 'password' | 'second-factor' | 'mailed-code';

/** Who tries, and at whose account. */
export interface Trier {
  /** The e-mail that was typed, or the id of the user. */
  account: string;
  ipAddress: string;
  /**
   * Public id of a session of this very account that the browser holds or held; null when it holds
   * none. A browser that was signed in before has tries of its own, so that nobody can use up those
   * of another person (OWASP: device cookies).
   */
  knownSessionId: string | null;
}

/** Leave to try once. */
export type Leave =
  | {
      isGiven: true;
      /** Gives the try back: only wrong guesses count. */
      giveBack(): Promise<void>;
    }
  | { isGiven: false; retryAfterSeconds: number };

/** Counts what can be guessed. A try is taken before it is made, so that many at once do not get by. */
export interface RateLimits {
  takeTry(kind: Guessable, trier: Trier): Promise<Leave>;
  takeSignUp(ipAddress: string): Promise<Leave>;
  /** Leave to have one mail sent to this address. */
  takeMail(asked: { email: string; ipAddress: string }): Promise<Leave>;
}

const QUARTER_HOUR_SECONDS = 900;
const HOUR_SECONDS = 3600;
/** An account that many networks try at once: this many times what one of them may. */
const NETWORKS_PER_ACCOUNT = 10;

type Counted = [limiter: RateLimiterMemory, key: string];

/** Counters of this process. With several processes each counts for itself. */
export function createRateLimits(options: RateLimitOptions): RateLimits {
  const counter = (keyPrefix: string, points: number, duration: number) =>
    new RateLimiterMemory({ keyPrefix, points, duration });
  const countersOf = (kind: Guessable, perAccount: number, perNetwork: number) => ({
    byDevice: counter(`${kind}-device`, perAccount, QUARTER_HOUR_SECONDS),
    byNetwork: counter(`${kind}-network`, perNetwork, QUARTER_HOUR_SECONDS),
    byAccountAndNetwork: counter(`${kind}-pair`, perAccount, QUARTER_HOUR_SECONDS),
    byAccount: counter(`${kind}-account`, perAccount * NETWORKS_PER_ACCOUNT, HOUR_SECONDS),
  });
  const { codeTriesPerAccount, codeTriesPerNetwork } = options;
  const counters = {
    password: countersOf(
      ...(['password', options.passwordTriesPerAccount, options.passwordTriesPerNetwork] as const),
    ),
    'second-factor': countersOf('second-factor', codeTriesPerAccount, codeTriesPerNetwork),
    'mailed-code': countersOf('mailed-code', codeTriesPerAccount, codeTriesPerNetwork),
  };
  const signUps = counter('sign-up', options.signUpsPerNetwork, HOUR_SECONDS);
  const mailsByAddress = counter('mail-address', options.mailsPerAddress, HOUR_SECONDS);
  const mailsByNetwork = counter('mail-network', options.mailsPerNetwork, HOUR_SECONDS);

  return {
    takeTry(kind, { account, ipAddress, knownSessionId }) {
      const { byDevice, byNetwork, byAccountAndNetwork, byAccount } = counters[kind];
      const whose = digestOf(account);
      if (knownSessionId !== null) return take([[byDevice, `${whose} ${knownSessionId}`]]);
      const network = networkOf(ipAddress);
      // In this order: a network that has used up its own tries takes none of the account's.
      return take([
        [byNetwork, network],
        [byAccountAndNetwork, `${whose} ${network}`],
        [byAccount, whose],
      ]);
    },
    takeSignUp: (ipAddress) => take([[signUps, networkOf(ipAddress)]]),
    takeMail: ({ email, ipAddress }) =>
      take([
        [mailsByNetwork, networkOf(ipAddress)],
        [mailsByAddress, digestOf(email)],
      ]),
  };
}

async function take(counted: Counted[]): Promise<Leave> {
  for (const [limiter, key] of counted) {
    try {
      await limiter.consume(key);
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      return { isGiven: false, retryAfterSeconds: Math.ceil(refusal.msBeforeNext / 1000) };
    }
  }
  const giveBack = async () => {
    await Promise.all(counted.map(([limiter, key]) => limiter.reward(key)));
  };
  return { isGiven: true, giveBack };
}

// No key of a counter names a person.
function digestOf(email: string): string {
  return createHash('sha256').update(email).digest('base64url');
}
