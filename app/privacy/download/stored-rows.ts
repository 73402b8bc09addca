import type { Snapshot, StoredRow, StoredValue } from '#app/database/snapshots.server.ts';
import type { Exported, PersonalModel } from '../data-map/field-classes.ts';
import { dataMap, type MappedModel } from '../data-map/data-map.ts';

/** The user whose data is read. */
export interface Owner {
  id: string;
  email: string;
}

/** A value in the download. Times are ISO 8601, images base64. */
type Value = string | number | boolean | object | null;
export type Row = Record<string, Value>;

/** Returns the exported fields of a model, by name. */
export function exportedFields({ fields }: PersonalModel): [name: string, field: Exported][] {
  return Object.entries(fields).filter(
    (entry): entry is [string, Exported] => entry[1].is === 'exported',
  );
}

/**
 * Yields a user's rows of one model in pages, with only the fields that the data map exports.
 *
 * @param limit the most rows to read, newest first. Default: all rows, oldest first.
 */
export async function* storedRows(
  snapshot: Snapshot,
  { name, model }: MappedModel<PersonalModel>,
  owner: Owner,
  limit?: number,
): AsyncGenerator<Row[]> {
  const fields = exportedFields(model);
  const columns = fields.map(([field]) => `"${field}"`).join(', ');
  const { where, values } = rowsOf(model, owner);
  const order = limit === undefined ? 'ASC' : `DESC LIMIT ${limit}`;
  const sql = `SELECT ${columns} FROM "${name}" WHERE ${where} ORDER BY "${model.order}" ${order}`;
  for await (const page of snapshot.pages(sql, values)) {
    yield page.map((row) => read(row, fields));
  }
}

/** Returns how many rows of the model the user has. */
export async function countRows(
  snapshot: Snapshot,
  { name, model }: MappedModel<PersonalModel>,
  owner: Owner,
): Promise<number> {
  const { where, values } = rowsOf(model, owner);
  const sql = `SELECT count(*) AS "count" FROM "${name}" WHERE ${where}`;
  for await (const [row] of snapshot.pages(sql, values)) return Number(row?.count);
  return 0;
}

function rowsOf(model: PersonalModel, { id, email }: Owner): { where: string; values: string[] } {
  switch (model.whose) {
    case 'id':
      return { where: '"id" = ?', values: [id] };
    case 'userId-or-email':
      // Includes rows for the address from before it had an account.
      return { where: '"userId" = ? OR ("userId" IS NULL AND "email" = ?)', values: [id, email] };
    default:
      return { where: '"userId" = ?', values: [id] };
  }
}

// A loop, because `Object.fromEntries` would create a dozen arrays for each of very many rows.
function read(row: StoredRow, fields: [string, Exported][]): Row {
  const values: Row = {};
  for (const [name, { as }] of fields) values[name] = valueOf(row[name] ?? null, as);
  return values;
}

function valueOf(value: StoredValue, as: Exported['as']): Value {
  if (value === null) return null;
  switch (as) {
    case 'time':
      return timeOf(value).toISOString();
    case 'number':
      return Number(value);
    case 'yes-or-no':
      // SQLite stores 0 and 1.
      return Boolean(value);
    case 'json':
      return JSON.parse(String(value)) as Value;
    case 'image':
      return (value as Buffer).toString('base64');
    case 'text':
      return String(value);
  }
}

// SQLite stores times as numbers, or as text if another Prisma program wrote them.
function timeOf(value: Exclude<StoredValue, null>): Date {
  if (value instanceof Date) return value;
  return new Date(typeof value === 'string' ? value : Number(value));
}

/** Returns a value as text; as JSON if it is not a string. */
export function textIn(value: Value | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

/** Returns the id and e-mail that identify the user's rows; `null` if the account no longer exists. */
export async function readProfile(snapshot: Snapshot, userId: string): Promise<Owner | null> {
  const user = { name: 'User', model: dataMap.User as PersonalModel } as const;
  for await (const [row] of storedRows(snapshot, user, { id: userId, email: '' })) {
    return row ? { id: textIn(row.id), email: textIn(row.email) } : null;
  }
  return null;
}
