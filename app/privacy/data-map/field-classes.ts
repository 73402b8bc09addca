import type { Database } from '#app/database/database.server.ts';

type Client = Database['client'];

/** Names of models in the Prisma client: `user`, `mailedCode`. */
type ModelKey = Extract<
  { [Key in keyof Client]: Client[Key] extends { fields: unknown } ? Key : never }[keyof Client],
  string
>;

/** Names of models in the schema: `User`, `MailedCode`. */
export type ModelName = Capitalize<ModelKey>;

/** The data fields of a model, without relations. */
type FieldsOf<Key extends ModelKey> = Exclude<
  Client[Key] extends { fields: infer Fields } ? keyof Fields : never,
  symbol | number
>;

/** The type of an exported field. `json` is stored as text; `image` is WebP. */
type FieldType = 'text' | 'time' | 'number' | 'yes-or-no' | 'json' | 'image';

export interface Exported {
  is: 'exported';
  as: FieldType;
  /** True if the value may be null. */
  isOptional: boolean;
  /** A short heading for the value. */
  label: string;
  /** One sentence that explains the value to the user. */
  what: string;
}

/** Why a field is not in the download. */
type WithheldFor =
  /** The value, or a value derived from it, gives access to the account. */
  | 'secret'
  /** The value says nothing about the user that another field does not say. */
  | 'repeats'
  /** The value does not identify a user. */
  | "nobody's";

interface Withheld {
  is: 'withheld';
  for: WithheldFor;
  label: string;
  /** One sentence that explains the reason to the user. */
  why: string;
}

export type FieldClass = Exported | Withheld;

/** The retention periods that the environment can set. */
export interface Periods {
  sessionRetentionDays: number;
  activityRetentionDays: number;
}

interface Described {
  title: string;
  /** Why the data is stored. */
  purpose: string;
  /** The legal basis (GDPR, article 6). */
  ground: 'contract' | 'legitimate interest';
  keptFor: (periods: Periods) => string;
}

/** A model whose rows are about a user. */
export interface PersonalModel<Field extends string = string> extends Described {
  /** The name of the model in the download. */
  part: string;
  rows: 'one' | 'many';
  /** The columns that identify a user's rows. Default: `userId`. */
  whose?: 'id' | 'userId-or-email';
  /** The field by which the rows are sorted. It has an index if there may be very many rows. */
  order: Field;
  fields: Record<Field, FieldClass>;
}

/** A model whose rows do not identify a user. */
interface AnonymousModel<Field extends string = string> extends Described {
  part: null;
  fields: Record<Field, Withheld>;
}

export type ModelClass<Field extends string = string> =
  PersonalModel<Field> | AnonymousModel<Field>;

/** A class for every field of every model: a missing one is a TypeScript error that names it. */
export type DataMap = { [Key in ModelKey as Capitalize<Key>]: ModelClass<FieldsOf<Key>> };

type Describe = (label: string, what: string) => Exported;

const exported =
  (as: FieldType, isOptional = false): Describe =>
  (label, what) => ({ is: 'exported', as, isOptional, label, what });

export const text = exported('text');
export const optionalText = exported('text', true);
export const time = exported('time');
export const optionalTime = exported('time', true);
export const number = exported('number');
export const yesOrNo = exported('yes-or-no');
export const yesOrNoOrNone = exported('yes-or-no', true);
export const json = exported('json');
export const jsonOrNone = exported('json', true);
export const image = exported('image');

const withheld =
  (reason: WithheldFor) =>
  (label: string, why: string): Withheld => ({ is: 'withheld', for: reason, label, why });

export const secret = withheld('secret');
export const repeats = withheld('repeats');
export const anonymous = withheld("nobody's");
