import { SessionsUnavailableError } from './store-errors.ts';

interface ManagedRow {
  sessionId: string;
  userId: string;
  data: string;
  createdAt: Date;
}

/** The data of an Express application about its sessions, by the session's public id. */
export interface ManagedData {
  insert(row: ManagedRow): Promise<void>;
  /** Returns the data; null if there is none. */
  find(sessionId: string): Promise<string | null>;
  /** Updates the data. Returns false, and writes nothing, if the session has ended. */
  update(sessionId: string, data: string, now: Date): Promise<boolean>;
  delete(sessionId: string): Promise<void>;
  /** Returns a page of the data of live sessions, in ascending order of their ids. */
  page(after: string, now: Date): Promise<{ sessionId: string; data: string }[]>;
  /** Returns the number of live sessions. */
  count(now: Date): Promise<number>;
  /** Deletes the data of ended sessions. Returns the number of deleted rows. */
  prune(now: Date): Promise<number>;
}

interface LiveSession {
  revokedAt: null;
  expiresAt: { gt: Date };
}
interface EndedSession {
  OR: [{ revokedAt: { not: null } }, { expiresAt: { lte: Date } }];
}
interface Where {
  sessionId?: string | { gt: string };
  application: string;
  session?: LiveSession | EndedSession;
}

/** The part of a Prisma client's model `ExpressSession` that the store needs. */
export interface PrismaWithManagedData {
  readonly expressSession: {
    create(args: { data: ManagedRow & { application: string } }): PromiseLike<unknown>;
    findMany(args: {
      where: Where;
      select: { sessionId: true; data: true };
      orderBy?: { sessionId: 'asc' };
      take: number;
    }): PromiseLike<{ sessionId: string; data: string }[]>;
    updateMany(args: { where: Where; data: { data: string } }): PromiseLike<{ count: number }>;
    deleteMany(args: { where: Where }): PromiseLike<{ count: number }>;
    count(args: { where: Where }): PromiseLike<number>;
  };
}

const PAGE_ROWS = 500;

/** Returns the data of one application in the table "ExpressSession". Throws only SessionsUnavailableError. */
export function prismaManagedData(prisma: PrismaWithManagedData, application: string): ManagedData {
  const model = prisma.expressSession;
  const select = { sessionId: true, data: true } as const;
  // This condition is part of the write, because the session may be ended at any moment.
  const live = (now: Date) => ({ revokedAt: null, expiresAt: { gt: now } });
  const ask = async <Answer>(query: PromiseLike<Answer>): Promise<Answer> => {
    try {
      return await query;
    } catch (error) {
      throw new SessionsUnavailableError(error);
    }
  };
  return {
    async insert(row) {
      await ask(model.create({ data: { ...row, application } }));
    },
    async find(sessionId) {
      const where = { sessionId, application };
      const [row] = await ask(model.findMany({ where, select, take: 1 }));
      return row?.data ?? null;
    },
    async update(sessionId, data, now) {
      const where = { sessionId, application, session: live(now) };
      return (await ask(model.updateMany({ where, data: { data } }))).count > 0;
    },
    async delete(sessionId) {
      await ask(model.deleteMany({ where: { sessionId, application } }));
    },
    page(after, now) {
      const where = { sessionId: { gt: after }, application, session: live(now) };
      return ask(model.findMany({ where, select, orderBy: { sessionId: 'asc' }, take: PAGE_ROWS }));
    },
    count: (now) => ask(model.count({ where: { application, session: live(now) } })),
    async prune(now) {
      const session: EndedSession = {
        OR: [{ revokedAt: { not: null } }, { expiresAt: { lte: now } }],
      };
      return (await ask(model.deleteMany({ where: { application, session } }))).count;
    },
  };
}
