import type { ActivityEvent } from '#app/activity/activity-event.ts';
import { deviceKeyOf, type ActivitySource } from '#app/activity/activity-log.server.ts';
import { createUsers } from '#app/database/users.server.ts';
import { createPasswords } from '#app/credentials/password/passwords.server.ts';
import { openDatabase } from '#app/database/database.server.ts';
import { parseEnv, type Env } from '#app/config/env.server.ts';
import { createLog } from '#app/operations/log.server.ts';
import { loadSecrets } from '#app/config/secrets.server.ts';
import {
  createToken,
  DAY_MS,
  defaultTimeouts,
  expiryAfter,
  hashSecret,
  HOUR_MS,
  MINUTE_MS,
  type SessionRecord,
} from '#app/sessions/index.ts';
import { prismaSessionStore } from '#app/sessions/stores/prisma.ts';
import { StartupError } from '#app/config/startup-error.ts';

export const demoUser = {
  email: 'demo@latchkey.example',
  name: 'Dana Demo',
  password: 'correct horse battery staple',
} as const;

interface DemoSession {
  userAgent: string;
  ipAddress: string;
  country: string | null;
  label?: string;
  remember: boolean;
  signedInMsAgo: number;
  seenMsAgo: number;
}

const onMac =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Firefox/145.0';
const onIPhone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1';
const onIPad =
  'Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1';
const onAndroid =
  'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36';
const onWindows =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0';
const onLinux = 'Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0';
const onChromebook =
  'Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36';

// Addresses in different countries, so that the page has something to show.
const demoSessions = [
  {
    userAgent: onMac,
    ipAddress: '131.130.70.8',
    country: 'AT',
    remember: true,
    signedInMsAgo: 9 * DAY_MS,
    seenMsAgo: 2 * MINUTE_MS,
  },
  {
    userAgent: onIPhone,
    ipAddress: '131.130.70.9',
    country: 'AT',
    remember: true,
    signedInMsAgo: 20 * DAY_MS,
    seenMsAgo: 14 * MINUTE_MS,
  },
  {
    userAgent: onIPad,
    ipAddress: '192.168.1.23',
    country: null,
    label: 'Kitchen iPad',
    remember: true,
    signedInMsAgo: 6 * DAY_MS,
    seenMsAgo: 19 * HOUR_MS,
  },
  {
    userAgent: onWindows,
    ipAddress: '193.136.1.40',
    country: 'PT',
    remember: false,
    signedInMsAgo: 2 * HOUR_MS,
    seenMsAgo: 31 * MINUTE_MS,
  },
  {
    userAgent: onAndroid,
    ipAddress: '163.53.68.2',
    country: 'NZ',
    remember: true,
    signedInMsAgo: 12 * DAY_MS,
    seenMsAgo: 4 * DAY_MS,
  },
  {
    userAgent: onLinux,
    ipAddress: '2001:67c:2564::1',
    country: 'NL',
    label: 'Lab workstation',
    remember: true,
    signedInMsAgo: 3 * DAY_MS,
    seenMsAgo: 2 * DAY_MS,
  },
  {
    userAgent: onChromebook,
    ipAddress: '198.51.100.14',
    country: null,
    remember: true,
    signedInMsAgo: 11 * DAY_MS,
    seenMsAgo: 9 * DAY_MS,
  },
  {
    userAgent: 'curl/8.15.0',
    ipAddress: '10.0.4.2',
    country: null,
    remember: false,
    signedInMsAgo: 50 * MINUTE_MS,
    seenMsAgo: 45 * MINUTE_MS,
  },
] as const satisfies DemoSession[];
const [mac, iPhone, , , , linux] = demoSessions;

interface DemoActivity {
  event: ActivityEvent & { count?: number };
  /** The device that did it. */
  by: Pick<ActivitySource, 'userAgent' | 'ipAddress' | 'country'>;
  msAgo: number;
}

const stranger = { userAgent: onWindows, ipAddress: '185.220.101.4', country: 'DE' };

/** Earlier activity, in addition to the sign-ins of the demo sessions. */
const demoActivities: DemoActivity[] = [
  { event: { kind: 'signed-up' }, by: iPhone, msAgo: 20 * DAY_MS + MINUTE_MS },
  { event: { kind: 'password-changed' }, by: mac, msAgo: 9 * DAY_MS - 5 * MINUTE_MS },
  { event: { kind: 'sessions-ended', count: 2 }, by: mac, msAgo: 9 * DAY_MS - 6 * MINUTE_MS },
  { event: { kind: 'passkey-added', passkey: 'iPhone' }, by: iPhone, msAgo: 8 * DAY_MS },
  { event: { kind: 'connection-added', provider: 'GitHub' }, by: mac, msAgo: 5 * DAY_MS },
  { event: { kind: 'totp-on' }, by: mac, msAgo: 5 * DAY_MS - 9 * MINUTE_MS },
  { event: { kind: 'recovery-codes-new' }, by: mac, msAgo: 5 * DAY_MS - 10 * MINUTE_MS },
  { event: { kind: 'recovery-code-used', left: 9 }, by: linux, msAgo: 3 * DAY_MS },
  { event: { kind: 'download-made' }, by: mac, msAgo: DAY_MS },
  {
    event: { kind: 'sign-in-failed', what: 'password', count: 7 },
    by: stranger,
    msAgo: 7 * HOUR_MS,
  },
  { event: { kind: 'session-ended', device: 'Chrome on Linux' }, by: mac, msAgo: 26 * MINUTE_MS },
];

/** `npm run seed`: creates a demo user with sessions of different devices, places and ages. */
export async function main(): Promise<void> {
  try {
    const environment: Record<string, string | undefined> = process.env;
    const env = parseEnv({ NODE_ENV: 'development', ...environment });
    refuseInProduction(env);
    await seed(env);
    process.stdout.write(
      `${demoUser.name} has ${demoSessions.length} sessions. Sign in as ${demoUser.email} with the password "${demoUser.password}".\n`,
    );
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

function refuseInProduction({ NODE_ENV, isLocal }: Env): void {
  if (NODE_ENV === 'production' || !isLocal) {
    throw new StartupError(
      'The password of the demo user is public, so npm run seed is refused in production.',
    );
  }
}

async function seed(env: Env): Promise<void> {
  const log = createLog('warn');
  const database = await openDatabase({ databaseUrl: env.DATABASE_URL, log, isForCommand: true });
  const { client: db, provider } = database;
  const passwords = createPasswords({
    db,
    pepper: loadSecrets(env).passwordPepper,
    cost: env.BCRYPT_COST,
    worker: new URL('./password-worker.js', import.meta.url),
  });
  const now = new Date();
  // Start over: the user may have been changed since the last run.
  await db.user.deleteMany({ where: { email: demoUser.email } });
  const { email, name, password } = demoUser;
  const passwordHash = await passwords.hash(password);
  const newUser = { email, name, passwordHash, emailVerifiedAt: now };
  const userId = await createUsers(db).create(newUser, now);
  const store = prismaSessionStore({ client: db, provider });
  for (const session of demoSessions) {
    await store.saveSession(recordOf(session, String(userId), now));
  }
  const signIns = demoSessions.map((by): DemoActivity => ({
    event: { kind: 'signed-in' },
    by,
    msAgo: by.signedInMsAgo,
  }));
  await db.activity.createMany({
    data: [...demoActivities, ...signIns].map((activity) =>
      activityOf(activity, String(userId), now),
    ),
  });
  await passwords.close();
  await database.close();
}

function activityOf({ event, by, msAgo }: DemoActivity, userId: string, now: Date) {
  const { kind, ...detail } = event;
  const { userAgent, ipAddress, country } = by;
  return {
    userId,
    kind,
    userAgent,
    ipAddress,
    country,
    at: new Date(now.getTime() - msAgo),
    detail: Object.keys(detail).length === 0 ? null : JSON.stringify(detail),
    deviceKey: deviceKeyOf(by),
  };
}

function recordOf(session: DemoSession, userId: string, now: Date): SessionRecord {
  const { userAgent, ipAddress, country, label = null, remember } = session;
  const createdAt = new Date(now.getTime() - session.signedInMsAgo);
  const lastSeenAt = new Date(now.getTime() - session.seenMsAgo);
  const { id, secret } = createToken();
  return {
    id,
    userId,
    label,
    userAgent,
    ipAddress,
    country,
    remember,
    createdAt,
    lastSeenAt,
    secretHash: hashSecret(secret),
    expiresAt: expiryAfter({ createdAt, remember }, lastSeenAt, defaultTimeouts),
    reauthenticatedAt: createdAt,
    revokedAt: null,
    revokedReason: null,
    revokedBy: null,
    meta: null,
  };
}
