import * as z from 'zod';
import { parseSender } from '#app/mail/address.ts';
import { StartupError } from './startup-error.server.ts';

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

const schema = z.object({
  NODE_ENV: z.enum(['development', 'production', 'test']).default('production'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  HOST: z.string().min(1).optional(),
  ORIGIN: z.url({ protocol: /^https?$/ }).optional(),
  DATABASE_URL: z.string().min(1).default('file:./data/latchkey.db'),
  SECRETS_FILE: z.string().min(1).default('./data/secrets.json'),
  PASSWORD_PEPPER: z.string().min(SECRET_CHARACTERS).optional(),
  ENCRYPTION_KEYS: z
    .string()
    .regex(ENCRYPTION_KEYS, 'it is a list such as "2026:<32 random bytes in base64>", newest first')
    .optional(),
  SMTP_URL: z.url({ protocol: /^smtps?$/ }).optional(),
  MAIL_FROM: z
    .string()
    .max(320)
    .refine((text) => parseSender(text) !== null, 'it is "Latchkey <no-reply@example.com>"')
    .optional(),
  OUTBOX_FOLDER: z.string().min(1).default('./data/outbox'),
  ERASURE_JOURNAL: z.string().min(1).default('./data/erasures.jsonl'),
  REDIS_URL: z.url({ protocol: /^rediss?$/ }).optional(),
  BCRYPT_COST: z.coerce.number().int().min(4).max(16).default(12),
  PASSWORD_TRIES_PER_ACCOUNT: count(10),
  PASSWORD_TRIES_PER_NETWORK: count(100),
  PASSWORD_TRIES_IN_ALL: count(10_000),
  CODE_TRIES_PER_ACCOUNT: count(10),
  CODE_TRIES_PER_NETWORK: count(100),
  CODE_TRIES_IN_ALL: count(10_000),
  SIGN_UPS_PER_NETWORK: count(20),
  SIGN_UPS_IN_ALL: count(2000),
  MAILS_PER_ADDRESS: count(6),
  MAILS_PER_NETWORK: count(60),
  MAILS_IN_ALL: count(5000),
  PWNED_PASSWORDS: z.enum(['on', 'off']).default('on'),
  PWNED_PASSWORDS_URL: z.url({ protocol: /^https?$/ }).default('https://api.pwnedpasswords.com'),
  TRUSTED_PROXIES: z.coerce.number().int().min(0).max(16).default(0),
  STOP_WITHIN_SECONDS: z.coerce.number().int().min(3).max(600).default(10),
  STOP_DELAY_SECONDS: z.coerce.number().int().min(0).max(600).default(0),
  METRICS_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  METRICS_HOST: z.string().min(1).default('127.0.0.1'),
  METRICS_TOKEN: z
    .string()
    .min(SECRET_CHARACTERS)
    .regex(/^[!-~]+$/, 'it is of characters without spaces')
    .optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  SESSION_IDLE_SECONDS: seconds(3600),
  SESSION_LIFETIME_SECONDS: seconds(86_400),
  REMEMBERED_SESSION_IDLE_SECONDS: seconds(14 * 86_400),
  REMEMBERED_SESSION_LIFETIME_SECONDS: seconds(30 * 86_400),
  SESSION_FRESH_SECONDS: seconds(900),
  SESSION_TOUCH_SECONDS: seconds(60),
  /** Whether memory may answer for sessions, under leases; else every request reads its row. */
  SESSION_CACHE: z.enum(['off', 'leased']).default('off'),
  /** Sessions that are remembered at most, where memory answers. */
  SESSION_CACHE_SIZE: z.coerce.number().int().min(1).max(10_000_000).default(50_000),
  SESSIONS_PER_USER: z.coerce.number().int().min(1).max(100_000).default(100),
  EVENT_STREAMS_IN_ALL: count(10_000),
  ACTIVITY_RETENTION_DAYS: z.coerce.number().int().min(1).max(3650).default(180),
  SESSION_RETENTION_DAYS: z.coerce.number().int().min(1).max(3650).default(30),
});

type Parsed = z.infer<typeof schema>;

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
  const result = schema.safeParse(given);
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
