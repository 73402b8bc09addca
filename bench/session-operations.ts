import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import type { GrownDatabase, OpenSessions } from './grown-database.ts';
import { emailOf, sessionIdOf, tokenOf, userIdOf } from './users-and-sessions.ts';

/** Runs one operation. Returns a function that checks its result, which is not part of the measured time. */
type Operation = (
  sessions: OpenSessions['sessions'],
  now: Date,
) => Promise<() => Promise<void> | void>;

/** The options of the sessions page; see app/routes/settings/sessions/page.tsx. */
const PAGE = { limit: 100, endedLimit: 20 };
const DEVICE = {
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  ipAddress: '203.0.113.7',
  country: 'FR',
  remember: true,
};

/** The measured operations. Each needs a user whose sessions are unchanged since the filling. */
export const operations = {
  'cold look-up': (database, user) => {
    const number = database.sessionNumbersOf(user)[3]!;
    const token = tokenOf(number);
    return async (sessions, now) => {
      // Without recording activity, which is a write once a minute.
      const resumed = await sessions.resume(token, now, { countsAsActivity: false });
      return () => {
        ok(resumed.state === 'live', `a live session was ${resumed.state}`);
        strictEqual(resumed.session.id, sessionIdOf(number));
        strictEqual(resumed.user?.email, emailOf(user));
      };
    };
  },
  'list page': (database, user) => {
    const userId = userIdOf(user);
    const [expired, revoked, ...others] = database.sessionsOf(user);
    return async (sessions, now) => {
      const { live, ended, next } = await sessions.list(userId, now, PAGE);
      return () => {
        deepStrictEqual(idsOf(live), others.sort());
        deepStrictEqual(idsOf(ended), [expired, revoked].sort());
        strictEqual(next, null);
      };
    };
  },
  'revoke others': (database, user) => {
    const userId = userIdOf(user);
    const [, , kept = '', ...others] = database.sessionsOf(user);
    return async (sessions, now) => {
      const reason = 'signed-out-elsewhere';
      const ended = await sessions.revokeOthers(userId, kept, { reason }, now);
      return async () => {
        deepStrictEqual(ended.sort(), others.sort());
        deepStrictEqual(idsOf((await sessions.list(userId, now)).live), [kept]);
      };
    };
  },
  'sign-in': (_database, user) => {
    const details = { ...DEVICE, userId: userIdOf(user) };
    return async (sessions, now) => {
      const { token, session } = await sessions.start(details, now);
      return async () => {
        const resumed = await sessions.resume(token, now);
        ok(resumed.state === 'live', `a new session was ${resumed.state}`);
        strictEqual(resumed.session.id, session.id);
        strictEqual(resumed.user?.email, emailOf(user));
      };
    };
  },
} satisfies Record<string, (database: GrownDatabase, user: number) => Operation>;

const idsOf = (sessions: readonly { id: string }[]) => sessions.map(({ id }) => id).sort();

export type OperationName = keyof typeof operations;
export const operationNames = Object.keys(operations) as OperationName[];

/** The durations of each operation, in milliseconds. */
export type Durations = Record<OperationName, number[]>;

export const noDurations = (): Durations =>
  Object.fromEntries(operationNames.map((name) => [name, []])) as never;

/**
 * Runs all operations in turn, repeatedly, each for a random user that was not used before.
 *
 * @throws AssertionError if a result was wrong.
 */
export class RandomOperations {
  constructor(
    private readonly database: GrownDatabase,
    private readonly open: OpenSessions,
  ) {}

  async run(times: number, durations: Durations): Promise<void> {
    for (let count = 0; count < times; count += 1) {
      for (const name of operationNames) durations[name].push(await this.#time(name));
    }
  }

  async #time(name: OperationName): Promise<number> {
    const operation: Operation = operations[name](this.database, this.database.pickUser());
    const now = new Date();
    const startedAt = performance.now();
    const check = await operation(this.open.sessions, now);
    const durationMs = performance.now() - startedAt;
    await check();
    return durationMs;
  }
}
