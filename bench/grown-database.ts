import { rmSync } from 'node:fs';
import { openDatabase } from '../app/database/database.server.ts';
import { PERSON_COLUMNS, PERSON_PARTS } from '../app/context.server.ts';
import type { Person, PersonColumn, PersonPart } from '../app/context.server.ts';
import { DAY_MS, HOUR_MS } from '../app/sessions/session.ts';
import { Sessions } from '../app/sessions/sessions.ts';
import { prismaSessionStore, type PrismaRawClient } from '../app/sessions/stores/prisma.ts';
import { openFiller } from './filling.ts';
import { addPeople, addSessions, sessionId, spread } from './people-and-sessions.ts';

export const SESSIONS_EACH = 5;
/** By age: what a person's first session came to, and their second; the others are live. */
const RAN_OUT = 0;
const REVOKED = 1;
const quiet = { info: () => undefined, warn: () => undefined };

/** Some people and their sessions, which came at one time. */
interface Cohort {
  firstPerson: number;
  people: number;
}

/** The sessions of the application in a database, as a request without memory meets them. */
export interface OpenSessions {
  sessions: Sessions<unknown, Person>;
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

  get people(): number {
    return this.#cohorts.reduce((sum, { people }) => sum + people, 0);
  }

  /** Makes it as large; nobody may have it open. */
  async growTo(sessions: number, onProgress: (done: number) => void): Promise<void> {
    // Tables, indexes and pragmas are those of the application.
    await (await openDatabase({ databaseUrl: this.databaseUrl, log: quiet })).close();
    const firstPerson = this.people;
    const people = sessions / SESSIONS_EACH - firstPerson;
    const filler = await openFiller(this.databaseUrl);
    const nowMs = Date.now();
    try {
      await addPeople(filler, { from: firstPerson, to: firstPerson + people }, nowMs);
      const from = firstPerson * SESSIONS_EACH;
      // Ages go by the number, as they would; those of one person lie far apart.
      const age = `((n - ${from}) / ${people})`;
      await addSessions(
        filler,
        { from, to: sessions, onProgress },
        {
          person: `${firstPerson} + (n - ${from}) % ${people}`,
          times: timesBy(age, nowMs),
        },
      );
      this.#cohorts.push({ firstPerson, people });
    } finally {
      await filler.close();
    }
  }

  /** Somebody at random, who is as they were filled in: nobody is picked twice. */
  pickPerson(): number {
    for (;;) {
      const person = Math.floor(Math.random() * this.people);
      if (this.#picked.has(person)) continue;
      this.#picked.add(person);
      return person;
    }
  }

  /** Ids of a person's sessions, the oldest first. */
  sessionsOf(person: number): string[] {
    return this.sessionNumbersOf(person).map(sessionId);
  }

  sessionNumbersOf(person: number): number[] {
    const { firstPerson, people } = this.#cohorts.find(
      (cohort) => person < cohort.firstPerson + cohort.people,
    )!;
    const first = firstPerson * SESSIONS_EACH + person - firstPerson;
    return Array.from({ length: SESSIONS_EACH }, (_none, age) => first + age * people);
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
    const store = prismaSessionStore<unknown, PersonColumn, PersonPart>({
      client: noted,
      provider,
      kind: 'session',
      personColumns: PERSON_COLUMNS,
      personParts: PERSON_PARTS,
    });
    return {
      sessions: new Sessions<unknown, Person>({ store }),
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
