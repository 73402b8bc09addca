import { ExpressStore, type IntervalOptions } from './express-store.ts';
import { sessionRows, type PrismaWithSessions } from './session-model.ts';
import { ModelSessions, type PrismaSessionsOptions } from './model-sessions.ts';
import { storeLog, type LogOptions } from './store-log.ts';

export interface PrismaSessionStoreOptions<ModelName extends string = 'session'>
  extends PrismaSessionsOptions<PrismaSessionStoreOptions<ModelName>>, IntervalOptions, LogOptions {
  /** Which model holds the sessions. Default `session`. */
  sessionModelName?: ModelName;
  /** Taken, and not needed: calls for one session are made in order, and none is dropped. */
  enableConcurrentSetInvocationsForSameSessionID?: boolean;
  /** Likewise. */
  enableConcurrentTouchInvocationsForSameSessionID?: boolean;
}

/**
 * Keeps sessions of express-session in any Prisma model with `id String @id`, `sid String @unique`,
 * `data String` and `expiresAt DateTime`: options and methods are those that applications with such a
 * model know from `@quixo3/prisma-session-store` 3. docs/interfaces.md says where it does better.
 *
 * Every method takes a callback as its last argument, or answers by a promise. A failure is an error:
 * `SessionsUnavailableError` (status 503) when the database could not be asked, and `SessionEndedError`
 * when a session to be saved was ended meanwhile.
 */
export class PrismaSessionStore<ModelName extends string = 'session'> extends ExpressStore {
  readonly #sessions: ModelSessions<PrismaSessionStoreOptions<ModelName>>;

  /** @throws TypeError when the client has no such model, or an option is not what it may be. */
  constructor(
    prisma: PrismaWithSessions<ModelName>,
    options: PrismaSessionStoreOptions<ModelName> = {},
  ) {
    const log = storeLog(options);
    const sessions = new ModelSessions(options, {
      rows: sessionRows(prisma, options.sessionModelName ?? 'session'),
      log,
      disconnect: async () => prisma.$disconnect?.(),
    });
    super(sessions, options, log);
    this.#sessions = sessions;
  }

  /**
   * Writes the hash of every session id that an older library stored as it is, so that nobody who reads
   * the table learns one. Nobody is signed out. Answers how many rows were changed.
   */
  hashStoredSids(): Promise<number> {
    return this.#sessions.hashStoredSids();
  }
}
