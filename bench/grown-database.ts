import { rmSync } from 'node:fs';
import { openDatabase } from '../app/database/database.server.ts';
import { USER_COLUMNS, USER_SUBQUERIES } from '../app/context.server.ts';
import type { User, UserColumn, UserSubquery } from '../app/context.server.ts';
import { DAY_MS, HOUR_MS } from '../app/sessions/session.ts';
import { Sessions } from '../app/sessions/sessions.ts';
import { prismaSessionStore, type PrismaRawClient } from '../app/sessions/stores/prisma.ts';
import { openFiller } from './filling.ts';
import { addUsers, addSessions, sessionId, spread } from './users-and-sessions.ts';

export const SESSIONS_EACH = 5;
/** By age: what a person's first session came to, and their second; the others are live. */
const RAN_OUT = 0;
const REVOKED = 1;
const quiet = { info: () => undefined, warn: () => undefined };

/** Some people and their sessions, which came at one time. */
interface Cohort {
  firstUser: number;
  users: number;
}

/** The sessions of the application in a database, as a request without memory meets them. */
export interface OpenSessions {
  sessions: Sessions<unknown, User>;
  /** The statements since the last time, with their values. */
  takeStatements(): { sql: string; values: unknown[] }[];
  /** Answers of one statement. */
  ask<Row>(sql: string): Promise<Row[]>;
  close(): Promise<void>;
}

/** A database that becomes larger and larger. Each person has five sessions: three live, two ended. */
export class GrownDatabase {
  readonly #cohorts: Cohort[] = [];
  readonly #picked = new Set<number>();

  constructor(readonly databaseUrl: string) {}

  get users(): number {
    return this.#cohorts.reduce((sum, { users }) => sum + users, 0);
  }

  /** Makes it as large; nobody may have it open. */
  async growTo(sessions: number, onProgress: (done: number) => void): Promise<void> {
    // Tables, indexes and pragmas are those of the application.
    await (await openDatabase({ databaseUrl: this.databaseUrl, log: quiet })).close();
    const firstUser = this.users;
    const users = sessions / SESSIONS_EACH - firstUser;
    const filler = await openFiller(this.databaseUrl);
    const nowMs = Date.now();
    try {
      await addUsers(filler, { from: firstUser, to: firstUser + users }, nowMs);
      const from = firstUser * SESSIONS_EACH;
      // Ages go by the number, as they would; those of one person lie far apart.
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

  /** Somebody at random, who is as they were filled in: nobody is picked twice. */
  pickUser(): number {
    for (;;) {
      const user = Math.floor(Math.random() * this.users);
      if (this.#picked.has(user)) continue;
      this.#picked.add(user);
      return user;
    }
  }

  /** Ids of a person's sessions, the oldest first. */
  sessionsOf(user: number): string[] {
    return this.sessionNumbersOf(user).map(sessionId);
  }

  sessionNumbersOf(user: number): number[] {
    const { firstUser, users } = this.#cohorts.find(
      (cohort) => user < cohort.firstUser + cohort.users,
    )!;
    const first = firstUser * SESSIONS_EACH + user - firstUser;
    return Array.from({ length: SESSIONS_EACH }, (_none, age) => first + age * users);
  }

  async open(): Promise<OpenSessions> {
    const { client, provider, close } = await openDatabase({
      databaseUrl: this.databaseUrl,
      log: quiet,
    });
    const statements: { sql: string; values: unknown[] }[] = [];
    const noted: PrismaRawClient = {
      $queryRawUnsafe(sql, ...values) {
        statements.push({ sql, values });
        return client.$queryRawUnsafe(sql, ...values);
      },
      $executeRawUnsafe(sql, ...values) {
        statements.push({ sql, values });
        return client.$executeRawUnsafe(sql, ...values);
      },
    };
    // As server.ts makes it, but for the memory.
    const store = prismaSessionStore<unknown, UserColumn, UserSubquery>({
      client: noted,
      provider,
      kind: 'session',
      userColumns: USER_COLUMNS,
      userSubqueries: USER_SUBQUERIES,
    });
    return {
      sessions: new Sessions<unknown, User>({ store }),
      takeStatements: () => statements.splice(0),
      ask: (sql) => client.$queryRawUnsafe(sql),
      close,
    };
  }

  /** For SQLite; a database of PostgreSQL goes with its server. */
  remove(): void {
    if (!this.databaseUrl.startsWith('file:')) return;
    const file = this.databaseUrl.slice('file:'.length);
    for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
  }
}

function timesBy(age: string, nowMs: number) {
  const ago = (days: number) => nowMs - days * DAY_MS;
  const byAge = (ranOut: string, revoked: string, live: string) =>
    `CASE ${age} WHEN ${RAN_OUT} THEN ${ranOut} WHEN ${REVOKED} THEN ${revoked} ELSE ${live} END`;
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
