import type { Snapshot } from '#app/database/snapshots.server.ts';
import { personalModels } from '../data-map/data-map.ts';
import { storedRows, type Owner } from './stored-rows.ts';
import { describeRow, type RowContext } from './described-rows.ts';

export const FORMAT = 'latchkey-data';
export const VERSION = 1;
export const SCHEMA_FILE = 'schema.json';

/** Yields the text of data.json: every part of the data map, one row per line. */
export async function* dataJson(
  snapshot: Snapshot,
  owner: Owner,
  telling: RowContext,
): AsyncGenerator<string> {
  const head = { format: FORMAT, version: VERSION, exportedAt: telling.now };
  yield `{\n  "$schema": "./${SCHEMA_FILE}",\n  ${JSON.stringify(head).slice(1, -1)}`;
  for (const mapped of personalModels) {
    const { part, rows } = mapped.model;
    const isList = rows === 'many';
    yield `,\n  "${part}": ${isList ? '[' : ''}`;
    let count = 0;
    for await (const page of storedRows(snapshot, mapped, owner)) {
      const lines = page.map((row) => JSON.stringify(describeRow(mapped.name, row, telling)));
      if (isList) yield `${count === 0 ? '' : ','}\n    ${lines.join(',\n    ')}`;
      else yield lines[0] ?? 'null';
      count += page.length;
    }
    if (isList) yield count === 0 ? ']' : '\n  ]';
    else if (count === 0) yield 'null';
  }
  yield '\n}\n';
}
