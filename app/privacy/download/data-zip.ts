import { once } from 'node:events';
import { Readable } from 'node:stream';
import type { ZipArchive } from 'archiver';
import type { Snapshot } from '#app/database/snapshots.server.ts';
import type { Periods, PersonalModel } from '../data-map/field-classes.ts';
import { dataMap, type MappedModel } from '../data-map/data-map.ts';
import { dataCsv } from './data-csv.ts';
import { dataJson, SCHEMA_FILE } from './data-json.ts';
import { dataPage } from './data-page.ts';
import { dataSchema } from './data-schema.ts';
import { exportedFields, storedRows, textIn, type Owner } from './stored-rows.ts';
import type { RowContext } from './described-rows.ts';

const CSV_FILES: { file: string; mapped: MappedModel<PersonalModel> }[] = [
  { file: 'sessions.csv', mapped: mappedModel('Session') },
  { file: 'activity.csv', mapped: mappedModel('Activity') },
];

/**
 * Returns the ZIP of a download as a stream. Its files are generated one after another while they are
 * read, so that none is held in memory. If one file fails, the stream fails.
 */
export async function dataZip(
  snapshot: Snapshot,
  owner: Owner,
  { telling, periods }: { telling: RowContext; periods: Periods },
): Promise<Readable> {
  const files = Object.fromEntries(CSV_FILES.map(({ file, mapped }) => [mapped.model.part, file]));
  const entries: Entry[] = [
    { name: 'index.html', content: dataPage(snapshot, owner, { telling, periods, files }) },
    { name: 'data.json', content: dataJson(snapshot, owner, telling) },
    { name: SCHEMA_FILE, content: [`${JSON.stringify(dataSchema(), null, 2)}\n`] },
    ...CSV_FILES.map(({ file, mapped }) => ({
      name: file,
      content: dataCsv(snapshot, mapped, owner, telling),
    })),
    ...(await picturesOf(snapshot, owner)),
  ];
  // Loaded on demand: it takes 14 MiB, and downloads are rare.
  const archiver = await import('archiver');
  const zip = new archiver.ZipArchive({});
  fill(zip, entries, telling.now).catch((error: unknown) => zip.destroy(error as Error));
  return zip;
}

interface Entry {
  name: string;
  content: AsyncIterable<string> | Iterable<string | Buffer>;
}

async function fill(zip: ZipArchive, entries: Entry[], date: Date): Promise<void> {
  for (const { name, content } of entries) {
    const source = Readable.from(content, { objectMode: false });
    // Without this, the archive would continue after a file that failed.
    source.on('error', (error) => zip.destroy(error));
    const added = once(zip, 'entry');
    zip.append(source, { name, date });
    await added;
  }
  await zip.finalize();
}

async function picturesOf(snapshot: Snapshot, owner: Owner): Promise<Entry[]> {
  const picture = mappedModel('Picture');
  const images = exportedFields(picture.model).filter(([, { as }]) => as === 'image');
  for await (const [row] of storedRows(snapshot, picture, owner)) {
    if (!row) break;
    return images.map(([name]) => ({
      name: `pictures/${name}.webp`,
      content: [Buffer.from(textIn(row[name]), 'base64')],
    }));
  }
  return [];
}

function mappedModel(name: 'Session' | 'Activity' | 'Picture'): MappedModel<PersonalModel> {
  return { name, model: dataMap[name] as PersonalModel };
}
