import { rmSync } from 'node:fs';
import { openDatabase } from '../app/database/database.server.ts';
import { USER_COLUMNS, USER_SUBQUERIES } from '../app/context.server.ts';
import type { User, UserColumn, UserSubquery } from '../app/context.server.ts';
import { DAY_MS, HOUR_MS } from '../app/sessions/session.ts';
import { Sessions } from '../app/sessions/sessions.ts';
import { prismaSessionStore, type PrismaRawClient } from '../app/sessions/stores/prisma.ts';
import { openFiller } from './filling.ts';
import { addUsers, addSessions, sessionIdOf, spread } from './users-and-sessions.ts';

export const SESSIONS_PER_USER = 5;
/** By age: a user's oldest session has expired, the second is revoked, and the others are live. */
const EXPIRED = 0;
const REVOKED = 1;
const quiet = { info: () => undefined, warn: () => undefined };

/** Users that were added at the same time, with their sessions. */
interface Cohort {
  firstUser: number;
  users: number;
}

/** The application's sessions with a database, without a session cache. */
export interface OpenSessions {
  sessions: Sessions<unknown, User>;
  /** Returns the statements since the last call, with their values. */
  takeStatements(): { sql: string; values: unknown[] }[];
  /** Runs one statement and returns its rows. */
  query<Row>(sql: string): Promise<Row[]>;
  close(): Promise<void>;
}

/** A database that can be enlarged. Each user has five sessions: three live and two ended. */
export class GrownDatabase {
  readonly #cohorts: Cohort[] = [];
  readonly #picked = new Set<number>();

  constructor(readonly databaseUrl: string) {}

  get users(): number {
    return this.#cohorts.reduce((sum, { users }) => sum + users, 0);
  }

  /** Adds users until the database has this many sessions. No connection to it may be open. */
  async growTo(sessions: number, onProgress: (done: number) => void): Promise<void> {
    // Create the tables, indexes and pragmas as the application does.
    await (await openDatabase({ databaseUrl: this.databaseUrl, log: quiet })).close();
    const firstUser = this.users;
    const users = sessions / SESSIONS_PER_USER - firstUser;
    const filler = await openFiller(this.databaseUrl);
    const nowMs = Date.now();
    try {
      await addUsers(filler, { from: firstUser, to: firstUser + users }, nowMs);
      const from = firstUser * SESSIONS_PER_USER;
      // Sessions are ordered by age, as in reality, so those of one user lie far apart.
      const age = `((n - ${from}) / ${users})`;
      await addSessions(
        filler,
        { from, to: sessions, onProgress },
        {
          user: `${firstUser} + (n - ${from}) % ${users}`,
          times: timesBy(age, nowMs),
        },
      );
      this.#cohorts.push({ firstUser, users });
    } finally {
      await filler.close();
    }
  }

  /** Returns a random user that was never returned before, whose sessions are unchanged. */
  pickUser(): number {
    for (;;) {
      const user = Math.floor(Math.random() * this.users);
      if (this.#picked.has(user)) continue;
      this.#picked.add(user);
      return user;
    }
  }

  /** Returns the ids of a user's sessions, the oldest first. */
  sessionsOf(user: number): string[] {
    return this.sessionNumbersOf(user).map(sessionIdOf);
  }

  sessionNumbersOf(user: number): number[] {
    const { firstUser, users } = this.#cohorts.find(
      (cohort) => user < cohort.firstUser + cohort.users,
    )!;
    const first = firstUser * SESSIONS_PER_USER + user - firstUser;
    return Array.from({ length: SESSIONS_PER_USER }, (_none, age) => first + age * users);
  }

  async open(): Promise<OpenSessions> {
    const { client, provider, close } = await openDatabase({
      databaseUrl: this.databaseUrl,
      log: quiet,
    });
    const statements: { sql: string; values: unknown[] }[] = [];
    const recordingClient: PrismaRawClient = {
      $queryRawUnsafe(sql, ...values) {
        statements.push({ sql, values });
        return client.$queryRawUnsafe(sql, ...values);
      },
      $executeRawUnsafe(sql, ...values) {
        statements.push({ sql, values });
        return client.$executeRawUnsafe(sql, ...values);
      },
    };
    // As in the application, but without the cache.
    const store = prismaSessionStore<unknown, UserColumn, UserSubquery>({
      client: recordingClient,
      provider,
      kind: 'session',
      userColumns: USER_COLUMNS,
      userSubqueries: USER_SUBQUERIES,
    });
    return {
      sessions: new Sessions<unknown, User>({ store }),
      takeStatements: () => statements.splice(0),
      query: (sql) => client.$queryRawUnsafe(sql),
      close,
    };
  }

  /** Deletes a SQLite database. A PostgreSQL database is removed with its server. */
  remove(): void {
    if (!this.databaseUrl.startsWith('file:')) return;
    const file = this.databaseUrl.slice('file:'.length);
    for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
  }
}

function timesBy(age: string, nowMs: number) {
  const ago = (days: number) => nowMs - days * DAY_MS;
  const byAge = (expired: string, revoked: string, live: string) =>
    `CASE ${age} WHEN ${EXPIRED} THEN ${expired} WHEN ${REVOKED} THEN ${revoked} ELSE ${live} END`;
  const createdAt = byAge(
    `${ago(26)} + ${spread(8 * DAY_MS)}`,
    `${ago(16)} + ${spread(6 * DAY_MS)}`,
    `${ago(9)} + ${spread(8 * DAY_MS)}`,
  );
  const lastSeenAt = `${createdAt} + ${3 * HOUR_MS}`;
  return {
    createdAt,
    lastSeenAt,
    expiresAt: `${lastSeenAt} + ${14 * DAY_MS}`,
    revokedAt: `CASE WHEN ${age} = ${REVOKED} THEN ${lastSeenAt} END`,
  };
}
