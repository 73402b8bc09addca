import { SessionsUnavailableError } from './store-errors.ts';

interface ManagedRow {
  sessionId: string;
  userId: string;
  data: string;
  createdAt: Date;
}

/** What an Express application keeps with a session, by the session's public id. */
export interface ManagedData {
  insert(row: ManagedRow): Promise<void>;
  /** null: none. */
  find(sessionId: string): Promise<string | null>;
  /** False: the session is over by now, and nothing was written. */
  update(sessionId: string, data: string, now: Date): Promise<boolean>;
  delete(sessionId: string): Promise<void>;
  /** Of live sessions, the oldest id first; a page of them. */
  page(after: string, now: Date): Promise<{ sessionId: string; data: string }[]>;
  count(now: Date): Promise<number>;
  /** Removes what sessions kept that are over. Answers how many. */
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

/** The model `ExpressSession` of a Prisma client, as far as it is needed. */
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

/** The rows of one application in the table "ExpressSession". Throws only what means "not available". */
export function prismaManagedData(prisma: PrismaWithManagedData, application: string): ManagedData {
  const model = prisma.expressSession;
  const select = { sessionId: true, data: true } as const;
  // The condition stands in the write itself: the session may be ended at any moment.
  const live = (now: Date) => ({ revokedAt: null, expiresAt: { gt: now } });
  const ask = async <Answer>(question: PromiseLike<Answer>): Promise<Answer> => {
    try {
      return await question;
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
