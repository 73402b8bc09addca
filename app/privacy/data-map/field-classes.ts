import type { Database } from '#app/database/database.server.ts';

type Client = Database['client'];

/** Models by the name of their part of the client: `user`, `mailedCode`. */
type ModelKey = Extract<
  { [Key in keyof Client]: Client[Key] extends { fields: unknown } ? Key : never }[keyof Client],
  string
>;

/** Models as the schema calls them: `User`, `MailedCode`. */
export type ModelName = Capitalize<ModelKey>;

/** The fields of a model that are data; relations are none. */
type FieldsOf<Key extends ModelKey> = Exclude<
  Client[Key] extends { fields: infer Fields } ? keyof Fields : never,
  symbol | number
>;

/** What the value of an exported field is. `json` is kept as text; `image` is WebP. */
export type FieldType = 'text' | 'time' | 'number' | 'yes-or-no' | 'json' | 'image';

export interface Exported {
  is: 'exported';
  as: FieldType;
  /** True when there may be none. */
  isOptional: boolean;
  /** A few words, to stand above a value. */
  label: string;
  /** One sentence for the person whose it is. */
  what: string;
}

/** Why something stays out of a download. */
export type WithheldFor =
  /** It, or what can be found out with it, lets somebody in. */
  | 'secret'
  /** It says nothing more of the person than another field does. */
  | 'repeats'
  /** It names nobody. */
  | "nobody's";

export interface Withheld {
  is: 'withheld';
  for: WithheldFor;
  label: string;
  /** One sentence that says so to the person. */
  why: string;
}

export type FieldClass = Exported | Withheld;

/** How long things are kept, as far as the environment says. */
export interface Periods {
  sessionRetentionDays: number;
  activityRetentionDays: number;
}

interface Described {
  title: string;
  /** Why it is kept at all. */
  purpose: string;
  /** On what ground (GDPR, article 6). */
  ground: 'contract' | 'legitimate interest';
  keptFor: (periods: Periods) => string;
}

/** A model whose rows are about a person. */
export interface PersonalModel<Field extends string = string> extends Described {
  /** Its name in the download. */
  part: string;
  rows: 'one' | 'many';
  /** Which rows are theirs. Left out: those whose `userId` it is. */
  whose?: 'id' | 'userId-or-email';
  /** What the rows stand in the order of; where there may be very many of them, an index has it. */
  order: Field;
  fields: Record<Field, FieldClass>;
}

/** A model whose rows are about nobody who could be named. */
export interface AnonymousModel<Field extends string = string> extends Described {
  part: null;
  fields: Record<Field, Withheld>;
}

export type ModelClass<Field extends string = string> =
  PersonalModel<Field> | AnonymousModel<Field>;

/** A class for every model and every field of it: TypeScript names the one that is missing. */
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
