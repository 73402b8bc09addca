import { SessionsUnavailableError } from './store-errors.ts';

/** A row of a model with `id`, `sid`, `data` and `expiresAt`. */
export interface SessionRow {
  id: string;
  sid: string;
  data: string | null;
  expiresAt: Date;
}

type Condition<Value> = Value | { in: Value[] } | { lte: Value } | { gt: Value };

export type Where = { [Column in 'id' | 'sid']?: Condition<string> } & {
  expiresAt?: Condition<Date>;
};

/** What is asked of a Prisma model: any version, and any database that it runs on. */
export interface SessionModel {
  findMany(args: {
    where?: Where;
    select?: Partial<Record<keyof SessionRow, true>>;
    orderBy?: { id: 'asc' };
    take?: number;
  }): PromiseLike<unknown[]>;
  create(args: { data: SessionRow & { data: string } }): PromiseLike<unknown>;
  updateMany(args: { where: Where; data: Partial<SessionRow & { data: string }> }): PromiseLike<{
    count: number;
  }>;
  deleteMany(args: { where?: Where }): PromiseLike<{ count: number }>;
  count(args: { where: Where }): PromiseLike<number>;
}

/** A Prisma client that has such a model. */
export type PrismaWithSessions<ModelName extends string = 'session'> = {
  readonly [Name in ModelName]: SessionModel;
} & { $disconnect?(): PromiseLike<unknown> };

/** The same questions, in terms of rows. Whatever the client throws comes out as unavailable. */
export interface SessionRows {
  find(where: Where, take?: number): Promise<SessionRow[]>;
  /** Ids only; the oldest id first. */
  findIds(where: Where, take: number): Promise<string[]>;
  findSids(where: Where): Promise<string[]>;
  /** False: there is a row of that sid, or id, already. */
  create(row: SessionRow & { data: string }): Promise<boolean>;
  /** How many rows; 0 too where another row has that sid, or id. */
  update(where: Where, data: Partial<SessionRow & { data: string }>): Promise<number>;
  /** How many rows. */
  delete(where?: Where): Promise<number>;
  count(where: Where): Promise<number>;
}

/** "Unique constraint failed", in every version of Prisma. */
const TAKEN = 'P2002';
const FUNCTIONS = ['findMany', 'create', 'updateMany', 'deleteMany', 'count'] as const;

/** @throws TypeError when the client has no such model. */
export function sessionRows(prisma: object, modelName: string): SessionRows {
  const model = (prisma as Partial<Record<string, SessionModel>>)[modelName];
  if (!model || FUNCTIONS.some((name) => typeof model[name] !== 'function')) {
    throw new TypeError(
      `The Prisma client has no model "${modelName}": name the one that holds sessions as sessionModelName.`,
    );
  }
  const ask = async <Answer>(question: () => PromiseLike<Answer>): Promise<Answer> => {
    try {
      return await question();
    } catch (error) {
      throw new SessionsUnavailableError(error);
    }
  };
  const unlessTaken = <Answer>(write: () => PromiseLike<Answer>, taken: Answer) =>
    ask(() =>
      write().then(undefined, (error: unknown) => {
        if ((error as { code?: unknown }).code === TAKEN) return taken;
        throw error;
      }),
    );
  return {
    find: (where, take) =>
      ask(() =>
        model.findMany({ where, ...(take && { take, orderBy: { id: 'asc' } }) }),
      ) as Promise<SessionRow[]>,
    async findIds(where, take) {
      const args = { where, take, select: { id: true }, orderBy: { id: 'asc' } } as const;
      const rows = await ask(() => model.findMany(args));
      return (rows as SessionRow[]).map(({ id }) => id);
    },
    async findSids(where) {
      const rows = await ask(() => model.findMany({ where, select: { sid: true } }));
      return (rows as SessionRow[]).map(({ sid }) => sid);
    },
    create: (row) => unlessTaken(() => model.create({ data: row }).then(() => true), false),
    update: (where, data) =>
      unlessTaken(() => model.updateMany({ where, data }).then(({ count }) => count), 0),
    async delete(where) {
      return (await ask(() => model.deleteMany(where ? { where } : {}))).count;
    },
    count: (where) => ask(() => model.count({ where })),
  };
}
