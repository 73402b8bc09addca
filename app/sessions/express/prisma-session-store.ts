import { ExpressStore, type IntervalOptions } from './express-store.ts';
import { sessionRows, type PrismaWithSessions } from './session-model.ts';
import { ModelSessions, type PrismaSessionsOptions } from './model-sessions.ts';
import { storeLog, type LogOptions } from './store-log.ts';

export interface PrismaSessionStoreOptions<ModelName extends string = 'session'>
  extends PrismaSessionsOptions<PrismaSessionStoreOptions<ModelName>>, IntervalOptions, LogOptions {
  /** The model of the sessions. Default `session`. */
  sessionModelName?: ModelName;
  /** Accepted for compatibility, without effect: all calls for one session run, in order. */
  enableConcurrentSetInvocationsForSameSessionID?: boolean;
  /** Accepted for compatibility, without effect. */
  enableConcurrentTouchInvocationsForSameSessionID?: boolean;
}

/**
 * Stores sessions of express-session in any Prisma model with `id String @id`, `sid String @unique`,
 * `data String` and `expiresAt DateTime`. It has the options and methods of
 * `@quixo3/prisma-session-store` 3; docs/interfaces.md lists its improvements.
 *
 * Every method takes a callback as its last argument, or returns a promise. It fails with a
 * `SessionsUnavailableError` (status 503) if the database failed, and with a `SessionEndedError` if a
 * session to be saved was ended concurrently.
 */
export class PrismaSessionStore<ModelName extends string = 'session'> extends ExpressStore {
  readonly #sessions: ModelSessions<PrismaSessionStoreOptions<ModelName>>;

  /** @throws TypeError if the client has no such model, or for an invalid option. */
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
   * Replaces every plain session id that an older library stored by its hash, so that a leak of the table
   * reveals no session id. No user is signed out. Returns the number of changed rows.
   */
  hashStoredSids(): Promise<number> {
    return this.#sessions.hashStoredSids();
  }
}
