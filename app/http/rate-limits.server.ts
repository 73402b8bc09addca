import { createHash } from 'node:crypto';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { networkOf } from './network-of.server.ts';

export interface RateLimitOptions {
  /** Wrong passwords for one account from one network within a quarter of an hour. */
  passwordTriesPerAccount: number;
  /** Wrong passwords from one network, for whatever accounts, within a quarter of an hour. */
  passwordTriesPerNetwork: number;
  /** Accounts made from one network within an hour. */
  signUpsPerNetwork: number;
}

/** Who tries a password. */
export interface PasswordTrier {
  email: string;
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
  takePasswordTry(trier: PasswordTrier): Promise<Leave>;
  takeSignUp(ipAddress: string): Promise<Leave>;
}

const QUARTER_HOUR_SECONDS = 900;
const HOUR_SECONDS = 3600;
/** An account that many networks try at once: this many times what one of them may. */
const NETWORKS_PER_ACCOUNT = 10;

type Counted = [limiter: RateLimiterMemory, key: string];

/** Counters of this process. With several processes each counts for itself. */
export function createRateLimits(options: RateLimitOptions): RateLimits {
  const { passwordTriesPerAccount, passwordTriesPerNetwork, signUpsPerNetwork } = options;
  const counter = (keyPrefix: string, points: number, duration: number) =>
    new RateLimiterMemory({ keyPrefix, points, duration });
  const byDevice = counter('device', passwordTriesPerAccount, QUARTER_HOUR_SECONDS);
  const byNetwork = counter('network', passwordTriesPerNetwork, QUARTER_HOUR_SECONDS);
  const byAccountAndNetwork = counter('pair', passwordTriesPerAccount, QUARTER_HOUR_SECONDS);
  const byAccount = counter(
    ...(['account', passwordTriesPerAccount * NETWORKS_PER_ACCOUNT, HOUR_SECONDS] as const),
  );
  const signUps = counter('sign-up', signUpsPerNetwork, HOUR_SECONDS);

  return {
    takePasswordTry({ email, ipAddress, knownSessionId }) {
      const account = digestOf(email);
      if (knownSessionId !== null) return take([[byDevice, `${account} ${knownSessionId}`]]);
      const network = networkOf(ipAddress);
      // In this order: a network that has used up its own tries takes none of the account's.
      return take([
        [byNetwork, network],
        [byAccountAndNetwork, `${account} ${network}`],
        [byAccount, account],
      ]);
    },
    takeSignUp: (ipAddress) => take([[signUps, networkOf(ipAddress)]]),
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
