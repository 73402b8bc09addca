import * as z from 'zod';
import { parseSender } from './mail-address.ts';
import { StartupError } from './startup-error.ts';

const LOCAL_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]']);
const SECRET_CHARACTERS = 32;
/** The part of a shutdown that is reserved for finishing requests and closing connections. */
const STOP_REST_SECONDS = 3;
/** `id:key`, separated by commas; 32 bytes are 43 characters of base64 or base64url. */
const ENCRYPTION_KEYS =
  /^[A-Za-z0-9]+:[A-Za-z0-9+/_-]{43,}=*(\s*,\s*[A-Za-z0-9]+:[A-Za-z0-9+/_-]{43,}=*)*$/;

const seconds = (defaultSeconds: number) =>
  z.coerce.number().int().min(1).max(31_536_000).default(defaultSeconds);

const count = (defaultCount: number) =>
  z.coerce.number().int().min(1).max(1_000_000).default(defaultCount);

/** Every setting, with its description for .env.example. */
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
      'Address to listen on; default: 127.0.0.1 if ORIGIN is localhost, otherwise all addresses',
    ),
  ORIGIN: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'Scheme, host and port at which users reach the application; default: http://localhost:$PORT. Must be https:// except on localhost',
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
    .describe('File in which generated secrets are stored'),
  PASSWORD_PEPPER: z
    .string()
    .min(SECRET_CHARACTERS)
    .optional()
    .describe(
      'At least 32 random characters; generated on localhost. Do not lose it: without it no password matches',
    ),
  ENCRYPTION_KEYS: z
    .string()
    .regex(ENCRYPTION_KEYS, 'it is a list such as "2026:<32 random bytes in base64>", newest first')
    .optional()
    .describe(
      'name:key, separated by commas, newest first; a key is 32 random bytes in base64. Default on localhost: derived from PASSWORD_PEPPER',
    ),
  SMTP_URL: z
    .url({ protocol: /^smtps?$/ })
    .optional()
    .describe(
      'smtps://user:password@host, or smtp://user:password@host:587, which upgrades to TLS. Without it, mail goes to /outbox on localhost and is off elsewhere',
    ),
  MAIL_FROM: z
    .string()
    .max(320)
    .refine((text) => parseSender(text) !== null, 'it is "Latchkey <no-reply@example.com>"')
    .optional()
    .describe('Sender of mail; default: Latchkey <no-reply@host of ORIGIN>'),
  OUTBOX_FOLDER: z
    .string()
    .min(1)
    .default('./data/outbox')
    .describe('Folder for mail on localhost when SMTP_URL is not set'),
  ERASURE_JOURNAL: z
    .string()
    .min(1)
    .default('./data/erasures.jsonl')
    .describe(
      'File with one line per erased account; a restore erases these accounts again. Keep it with your backups, not in them',
    ),
  REDIS_URL: z
    .url({ protocol: /^rediss?$/ })
    .optional()
    .describe(
      'redis://…, for counting rate limits; default: PostgreSQL if it is the database, otherwise the memory of the process',
    ),
  BCRYPT_COST: z.coerce
    .number()
    .int()
    .min(4)
    .max(16)
    .default(12)
    .describe('bcrypt cost: a password hash takes 2 to this power rounds'),
  PASSWORD_TRIES_PER_ACCOUNT: count(10).describe(
    'Wrong passwords in 15 minutes for one account from one network; from all networks, ten times as many in an hour',
  ),
  PASSWORD_TRIES_PER_NETWORK: count(100).describe(
    'Wrong passwords in 15 minutes from one network for all accounts',
  ),
  PASSWORD_TRIES_IN_ALL: count(10_000).describe('Wrong passwords in 15 minutes from all networks'),
  CODE_TRIES_PER_ACCOUNT: count(10).describe(
    'Wrong codes in 15 minutes for one account from one network',
  ),
  CODE_TRIES_PER_NETWORK: count(100).describe(
    'Wrong codes in 15 minutes from one network for all accounts',
  ),
  CODE_TRIES_IN_ALL: count(10_000).describe('Wrong codes in 15 minutes from all networks'),
  SIGN_UPS_PER_NETWORK: count(20).describe('Sign-ups in an hour from one network'),
  SIGN_UPS_IN_ALL: count(2000).describe('Sign-ups in an hour from all networks'),
  MAILS_PER_ADDRESS: count(6).describe('Mails in an hour to one address'),
  MAILS_PER_NETWORK: count(60).describe('Mails in an hour requested from one network'),
  MAILS_IN_ALL: count(5000).describe('Mails in an hour requested from all networks'),
  PWNED_PASSWORDS: z
    .enum(['on', 'off'])
    .default('on')
    .describe(
      'on or off: check new passwords with the range API of Have I Been Pwned, which receives five hex digits of a hash',
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
      'Number of your proxies in front of the server; the client address they report is trusted',
    ),
  STOP_WITHIN_SECONDS: z.coerce
    .number()
    .int()
    .min(3)
    .max(600)
    .default(10)
    .describe('How long a shutdown may take; longer requests are cut off'),
  STOP_DELAY_SECONDS: z.coerce
    .number()
    .int()
    .min(0)
    .max(600)
    .default(0)
    .describe(
      'Part of that time in which /readyz fails while connections are still accepted, for a load balancer',
    ),
  METRICS_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .optional()
    .describe('Serves /metrics on a separate port'),
  METRICS_HOST: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('Address that METRICS_PORT listens on'),
  METRICS_TOKEN: z
    .string()
    .min(SECRET_CHARACTERS)
    .regex(/^[!-~]+$/, 'it must be printable ASCII without spaces')
    .optional()
    .describe(
      'At least 32 characters: /metrics requires "Authorization: Bearer <token>"; without METRICS_PORT it is on the main port',
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
    'How long after a sign-in or re-authentication sensitive changes need no new one',
  ),
  SESSION_TOUCH_SECONDS: seconds(60).describe('A session records activity at most this often'),
  SESSION_CACHE: z
    .enum(['off', 'leased'])
    .default('off')
    .describe(
      'off: every request reads its session row; leased: sessions are cached under leases (docs/leased-cache.md)',
    ),
  SESSION_CACHE_SIZE: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_000_000)
    .default(50_000)
    .describe('With SESSION_CACHE=leased: the most sessions kept in memory'),
  SESSIONS_PER_USER: z.coerce
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(100)
    .describe('Live sessions per user; a further sign-in ends the least recently used one'),
  EVENT_STREAMS_IN_ALL: count(10_000).describe(
    'Event streams (one per browser) that one process keeps open, for live updates',
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
    .describe('How long an ended session is kept'),
});

type Parsed = z.infer<typeof settings>;

/** The validated environment, with defaults filled in. */
export interface Env extends Omit<Parsed, 'ORIGIN' | 'HOST'> {
  /** Scheme, host and port at which users reach the application; no path. */
  ORIGIN: string;
  HOST: string;
  /** True if ORIGIN is this machine: secrets may be generated, and http:// is allowed. */
  isLocal: boolean;
}

/**
 * Parses the environment. Called once, at start.
 *
 * @throws {StartupError} one sentence that names the first invalid variable, never its value.
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
      'ORIGIN must start with https:// (http:// is only for localhost), because sign-in cookies must not be sent unencrypted.',
    );
  }
  if (!isLocal && env.BCRYPT_COST < 10) {
    throw new StartupError('BCRYPT_COST must be at least 10 outside localhost.');
  }
  if (env.STOP_DELAY_SECONDS > env.STOP_WITHIN_SECONDS - STOP_REST_SECONDS) {
    throw new StartupError(
      `STOP_DELAY_SECONDS must be at least ${STOP_REST_SECONDS} below STOP_WITHIN_SECONDS, so that running requests can finish.`,
    );
  }
  return {
    ...env,
    ORIGIN: origin.origin,
    // A first run on localhost must not be reachable from the network.
    HOST: HOST ?? (isLocal ? '127.0.0.1' : '::'),
    isLocal,
  };
}
