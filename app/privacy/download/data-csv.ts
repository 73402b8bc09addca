import { stringify } from 'csv-stringify/sync';
import type { Snapshot } from '#app/database/snapshots.server.ts';
import type { PersonalModel } from '../data-map/field-classes.ts';
import type { MappedModel } from '../data-map/data-map.ts';
import { exportedFields, storedRows, textIn, type Owner, type Row } from './stored-rows.ts';
import { describeRow, describedFields, type RowContext } from './described-rows.ts';

/** Without it Excel does not read the file as UTF-8; other programs ignore it. */
const BYTE_ORDER_MARK = '\uFEFF';

/**
 * Yields the rows of one model as CSV (RFC 4180). Puts an apostrophe before a value that a spreadsheet
 * would run as a formula, because a client can send any text as its user agent.
 */
export async function* dataCsv(
  snapshot: Snapshot,
  mapped: MappedModel<PersonalModel>,
  owner: Owner,
  telling: RowContext,
): AsyncGenerator<string> {
  const { name, model } = mapped;
  const columns = [...describedFields(name), ...exportedFields(model)].map(([column]) => column);
  yield BYTE_ORDER_MARK + lines([columns]);
  for await (const page of storedRows(snapshot, mapped, owner)) {
    const rows = page.map((row) => describeRow(name, row, telling));
    yield lines(rows.map((row) => columns.map((column) => cell(row[column] ?? null))));
  }
}

function cell(value: Row[string]): string {
  return value === null ? '' : textIn(value);
}

function lines(records: string[][]): string {
  return stringify(records, { escape_formulas: true, record_delimiter: 'windows' });
}
