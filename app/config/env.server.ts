import * as z from 'zod';
import { parseSender } from './mail-address.ts';
import { StartupError } from './startup-error.ts';

const LOCAL_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]']);
const SECRET_CHARACTERS = 32;
/** Of a stop: for requests to finish, and for the rest to be let go of. */
const STOP_REST_SECONDS = 3;
/** `id:key`, comma between; 32 bytes are 43 characters of base64 or base64url. */
const ENCRYPTION_KEYS =
  /^[A-Za-z0-9]+:[A-Za-z0-9+/_-]{43,}=*(\s*,\s*[A-Za-z0-9]+:[A-Za-z0-9+/_-]{43,}=*)*$/;

const seconds = (defaultSeconds: number) =>
  z.coerce.number().int().min(1).max(31_536_000).default(defaultSeconds);

const count = (defaultCount: number) =>
  z.coerce.number().int().min(1).max(1_000_000).default(defaultCount);

/** Every setting, with the words that .env.example shows about it. */
export const settings = z.object({
  NODE_ENV: z
    .enum(['development', 'production', 'test'])
    .default('production')
    .describe('Set by the npm commands'),
  PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(3000)
    .describe('Port to listen on; 0 lets the system choose'),
  HOST: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Address to listen on; default: this machine only if ORIGIN is localhost, else every address',
    ),
  ORIGIN: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'Scheme, host and port under which users reach the application; default: http://localhost:$PORT. https:// except on localhost',
    ),
  DATABASE_URL: z
    .string()
    .min(1)
    .default('file:./data/latchkey.db')
    .describe('file:… for the embedded SQLite, or postgres://…'),
  SECRETS_FILE: z
    .string()
    .min(1)
    .default('./data/secrets.json')
    .describe('Where generated secrets are kept'),
  PASSWORD_PEPPER: z
    .string()
    .min(SECRET_CHARACTERS)
    .optional()
    .describe(
      'At least 32 random characters; generated on localhost. Keep it: without it no password matches',
    ),
  ENCRYPTION_KEYS: z
    .string()
    .regex(ENCRYPTION_KEYS, 'it is a list such as "2026:<32 random bytes in base64>", newest first')
    .optional()
    .describe(
      'name:key, comma between, the newest first; a key is 32 random bytes in base64. Default on localhost: derived from PASSWORD_PEPPER',
    ),
  SMTP_URL: z
    .url({ protocol: /^smtps?$/ })
    .optional()
    .describe(
      'smtps://user:password@host, or smtp://user:password@host:587, which turns to TLS. Without it mail goes to /outbox on localhost, and nowhere else',
    ),
  MAIL_FROM: z
    .string()
    .max(320)
    .refine((text) => parseSender(text) !== null, 'it is "Latchkey <no-reply@example.com>"')
    .optional()
    .describe('The sender of mail; default: Latchkey <no-reply@host of ORIGIN>'),
  OUTBOX_FOLDER: z
    .string()
    .min(1)
    .default('./data/outbox')
    .describe('Where mail goes on localhost without SMTP_URL'),
  ERASURE_JOURNAL: z
    .string()
    .min(1)
    .default('./data/erasures.jsonl')
    .describe(
      'One line for each erased account; a restored backup is purged by it. Keep it with your backups, not in them',
    ),
  REDIS_URL: z
    .url({ protocol: /^rediss?$/ })
    .optional()
    .describe(
      'redis://…, where rate limits are counted; default: PostgreSQL if that is the database, else the memory of the process',
    ),
  BCRYPT_COST: z.coerce
    .number()
    .int()
    .min(4)
    .max(16)
    .default(12)
    .describe('2 to the power of this many rounds a password hash'),
  PASSWORD_TRIES_PER_ACCOUNT: count(10).describe(
    'Wrong passwords in 15 minutes for one account from one network; ten times as many from all networks in an hour',
  ),
  PASSWORD_TRIES_PER_NETWORK: count(100).describe(
    'Wrong passwords in 15 minutes from one network for any accounts',
  ),
  PASSWORD_TRIES_IN_ALL: count(10_000).describe('Wrong passwords in 15 minutes from all networks'),
  CODE_TRIES_PER_ACCOUNT: count(10).describe(
    'Wrong codes in 15 minutes for one account from one network',
  ),
  CODE_TRIES_PER_NETWORK: count(100).describe(
    'Wrong codes in 15 minutes from one network for any accounts',
  ),
  CODE_TRIES_IN_ALL: count(10_000).describe('Wrong codes in 15 minutes from all networks'),
  SIGN_UPS_PER_NETWORK: count(20).describe('Sign-ups in an hour from one network'),
  SIGN_UPS_IN_ALL: count(2000).describe('Sign-ups in an hour from all networks'),
  MAILS_PER_ADDRESS: count(6).describe('Mails in an hour to one address'),
  MAILS_PER_NETWORK: count(60).describe('Mails in an hour that one network asks for'),
  MAILS_IN_ALL: count(5000).describe('Mails in an hour that all networks ask for'),
  PWNED_PASSWORDS: z
    .enum(['on', 'off'])
    .default('on')
    .describe(
      'on or off: whether new passwords are looked up at the range API of Have I Been Pwned, which sees five hex digits of a hash',
    ),
  PWNED_PASSWORDS_URL: z
    .url({ protocol: /^https?$/ })
    .default('https://api.pwnedpasswords.com')
    .describe('Another server with the same range API'),
  TRUSTED_PROXIES: z.coerce
    .number()
    .int()
    .min(0)
    .max(16)
    .default(0)
    .describe(
      'How many of your proxies are in front; what they say about the address of a visitor is believed',
    ),
  STOP_WITHIN_SECONDS: z.coerce
    .number()
    .int()
    .min(3)
    .max(600)
    .default(10)
    .describe('How long a stop may take; requests that take longer are cut off'),
  STOP_DELAY_SECONDS: z.coerce
    .number()
    .int()
    .min(0)
    .max(600)
    .default(0)
    .describe(
      'How long of that /readyz says no before connections are refused, for a load balancer',
    ),
  METRICS_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .optional()
    .describe('Shows /metrics on a port of its own'),
  METRICS_HOST: z.string().min(1).default('127.0.0.1').describe('Address of METRICS_PORT'),
  METRICS_TOKEN: z
    .string()
    .min(SECRET_CHARACTERS)
    .regex(/^[!-~]+$/, 'it is of characters without spaces')
    .optional()
    .describe(
      'At least 32 characters: /metrics wants "Authorization: Bearer <token>"; without METRICS_PORT, on the main port',
    ),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('fatal, error, warn, info, debug, trace, or silent'),
  SESSION_IDLE_SECONDS: seconds(3600).describe('How long a session lasts without activity'),
  SESSION_LIFETIME_SECONDS: seconds(86_400).describe('How long a session lasts at most'),
  REMEMBERED_SESSION_IDLE_SECONDS: seconds(14 * 86_400).describe(
    'How long a session with "remember me" lasts without activity',
  ),
  REMEMBERED_SESSION_LIFETIME_SECONDS: seconds(30 * 86_400).describe(
    'How long a session with "remember me" lasts at most',
  ),
  SESSION_FRESH_SECONDS: seconds(900).describe(
    'How long a full proof of identity counts as recent',
  ),
  SESSION_TOUCH_SECONDS: seconds(60).describe('Activity is written at most this often'),
  SESSION_CACHE: z
    .enum(['off', 'leased'])
    .default('off')
    .describe(
      'off: every request reads its row; leased: memory answers under leases (docs/leased-cache.md)',
    ),
  SESSION_CACHE_SIZE: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_000_000)
    .default(50_000)
    .describe('With SESSION_CACHE=leased: sessions kept in memory at most'),
  SESSIONS_PER_USER: z.coerce
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(100)
    .describe('Live sessions a user may have; the least recently used makes room'),
  EVENT_STREAMS_IN_ALL: count(10_000).describe(
    'Open pages (one for each browser) that one process tells about a sign-out',
  ),
  ACTIVITY_RETENTION_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(3650)
    .default(180)
    .describe('How long the activity log is kept'),
  SESSION_RETENTION_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(3650)
    .default(30)
    .describe('How long an ended session stays on record'),
});

type Parsed = z.infer<typeof settings>;

/** The environment, checked and completed. */
export interface Env extends Omit<Parsed, 'ORIGIN' | 'HOST'> {
  /** Scheme, host and port under which people reach the application; no path. */
  ORIGIN: string;
  HOST: string;
  /** True when ORIGIN is this very machine: secrets may then be generated, and http will do. */
  isLocal: boolean;
}

/**
 * Parses the environment once, at boot.
 *
 * @throws {StartupError} one sentence that names the first variable that is wrong, never its value.
 */
export function parseEnv(variables: Record<string, string | undefined>): Env {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''));
  const result = settings.safeParse(given);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw new StartupError(
      `The environment variable ${issue?.path.join('.')} is not usable: ${issue?.message}.`,
    );
  }
  const { ORIGIN, HOST, ...env } = result.data;
  const origin = new URL(ORIGIN ?? `http://localhost:${env.PORT}`);
  const isLocal = LOCAL_HOSTS.has(origin.hostname);
  if (origin.protocol === 'http:' && !isLocal) {
    throw new StartupError(
      'ORIGIN must start with https:// (http:// is only for localhost), because sign-in cookies may not travel in clear.',
    );
  }
  if (!isLocal && env.BCRYPT_COST < 10) {
    throw new StartupError('BCRYPT_COST must be at least 10 outside localhost.');
  }
  if (env.STOP_DELAY_SECONDS > env.STOP_WITHIN_SECONDS - STOP_REST_SECONDS) {
    throw new StartupError(
      `STOP_DELAY_SECONDS must be at least ${STOP_REST_SECONDS} below STOP_WITHIN_SECONDS, so that requests under way can finish.`,
    );
  }
  return {
    ...env,
    ORIGIN: origin.origin,
    // A first try on one's own machine is nobody else's business.
    HOST: HOST ?? (isLocal ? '127.0.0.1' : '::'),
    isLocal,
  };
}
