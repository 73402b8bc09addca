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

/** The functions of a Prisma model that the store needs, in any version and on any database. */
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

/** The same queries in terms of rows. They throw a SessionsUnavailableError for any error of the client. */
export interface SessionRows {
  find(where: Where, take?: number): Promise<SessionRow[]>;
  /** Returns only ids, in ascending order. */
  findIds(where: Where, take: number): Promise<string[]>;
  findSids(where: Where): Promise<string[]>;
  /** Creates a row. Returns false if a row with that sid or id exists. */
  create(row: SessionRow & { data: string }): Promise<boolean>;
  /** Returns the number of changed rows; also 0 if another row has that sid or id. */
  update(where: Where, data: Partial<SessionRow & { data: string }>): Promise<number>;
  /** Returns the number of deleted rows. */
  delete(where?: Where): Promise<number>;
  count(where: Where): Promise<number>;
}

/** "Unique constraint failed", in every version of Prisma. */
const UNIQUE_VIOLATION = 'P2002';
const FUNCTIONS = ['findMany', 'create', 'updateMany', 'deleteMany', 'count'] as const;

/** Returns the queries for a model. @throws TypeError if the client has no such model. */
export function sessionRows(prisma: object, modelName: string): SessionRows {
  const model = (prisma as Partial<Record<string, SessionModel>>)[modelName];
  if (!model || FUNCTIONS.some((name) => typeof model[name] !== 'function')) {
    throw new TypeError(
      `The Prisma client has no model "${modelName}": set sessionModelName to the model of the sessions.`,
    );
  }
  const ask = async <Answer>(query: () => PromiseLike<Answer>): Promise<Answer> => {
    try {
      return await query();
    } catch (error) {
      throw new SessionsUnavailableError(error);
    }
  };
  const writeUnique = <Answer>(write: () => PromiseLike<Answer>, onConflict: Answer) =>
    ask(() =>
      write().then(undefined, (error: unknown) => {
        if ((error as { code?: unknown }).code === UNIQUE_VIOLATION) return onConflict;
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
    create: (row) => writeUnique(() => model.create({ data: row }).then(() => true), false),
    update: (where, data) =>
      writeUnique(() => model.updateMany({ where, data }).then(({ count }) => count), 0),
    async delete(where) {
      return (await ask(() => model.deleteMany(where ? { where } : {}))).count;
    },
    count: (where) => ask(() => model.count({ where })),
  };
}
