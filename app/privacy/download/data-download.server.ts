import { Readable } from 'node:stream';
import type { PageContext } from '#app/context.server.ts';
import type { Snapshot } from '#app/database/snapshots.server.ts';
import { DAY_MS, MINUTE_MS } from '#app/sessions/index.ts';
import type { Periods } from '../data-map/field-classes.ts';
import { personalModels } from '../data-map/data-map.ts';
import { dataJson } from './data-json.ts';
import { dataZip } from './data-zip.ts';
import { readProfile, storedRows, type Owner } from './stored-rows.ts';
import type { RowContext } from './described-rows.ts';

/** A snapshot keeps the database from tidying up, so nobody may hold one for ever. */
export const DOWNLOAD_MS = 10 * MINUTE_MS;

export type DownloadFormat = 'zip' | 'json';

const CONTENT_TYPES = { zip: 'application/zip', json: 'application/json; charset=utf-8' };

export interface DataDownload {
  name: string;
  contentType: string;
  content: Readable;
  /** To be called when nothing more is read from it, whatever the reason. */
  end(): Promise<void>;
}

type DownloadOptions = Pick<
  PageContext,
  'places' | 'sessions' | 'tokens' | 'now' | 'replayGuard' | 'snapshots' | 'activity'
>;

/**
 * Everything that is kept about a user, as it stands at this moment, made while it is read. null: one
 * of theirs is being made already, or as many as there may be are.
 *
 * @param note writes down that it is made; called before the snapshot is taken, so that it is in it.
 * @throws what the database throws when it is down: no download was begun then.
 */
export async function openDataDownload(
  context: DownloadOptions,
  userId: string,
  format: DownloadFormat,
  note: () => Promise<void>,
): Promise<DataDownload | null> {
  const { replayGuard, now } = context;
  // In the database: the next request may come to another process. It ends by itself should this
  // process not live to end it.
  const turn = `data download: ${userId}`;
  const until = new Date(now.getTime() + DOWNLOAD_MS);
  if (!(await replayGuard.lock(turn, until, now))) return null;
  let snapshot: Snapshot | null = null;
  let timer: NodeJS.Timeout | undefined;
  const end = async () => {
    clearTimeout(timer);
    await snapshot?.close();
    await replayGuard.unlock(turn, until);
  };
  try {
    await note();
    snapshot = await context.snapshots.open();
    const content = snapshot && (await contentOf(snapshot, context, userId, format));
    if (!content) {
      await end();
      return null;
    }
    timer = setTimeout(
      () => content.destroy(new Error('The download took too long.')),
      DOWNLOAD_MS,
    );
    timer.unref();
    const name = `latchkey-data-${now.toISOString().slice(0, 10)}.${format}`;
    return { name, contentType: CONTENT_TYPES[format], content, end };
  } catch (error) {
    await end().catch(() => undefined);
    throw error;
  }
}

async function contentOf(
  snapshot: Snapshot,
  context: DownloadOptions,
  userId: string,
  format: DownloadFormat,
): Promise<Readable | null> {
  const owner = await readProfile(snapshot, userId);
  if (!owner) return null;
  await readOneRowOfEach(snapshot, owner);
  const { places, sessions, tokens, now } = context;
  const telling: RowContext = { places, sessions, tokens, now, known: new Map() };
  return format === 'zip'
    ? dataZip(snapshot, owner, { telling, periods: periodsOf(context) })
    : Readable.from(dataJson(snapshot, owner, telling), { objectMode: false });
}

/** What cannot be read at all is said before the answer has begun: later it could only break off. */
async function readOneRowOfEach(snapshot: Snapshot, owner: Owner): Promise<void> {
  for (const mapped of personalModels) {
    const pages = storedRows(snapshot, mapped, owner, 1);
    await pages.next();
    await pages.return(undefined);
  }
}

/** How long things are kept here. */
export function periodsOf({
  sessions,
  activity,
}: Pick<DownloadOptions, 'sessions' | 'activity'>): Periods {
  return {
    sessionRetentionDays: Math.round(sessions.retentionMs / DAY_MS),
    activityRetentionDays: activity.retentionDays,
  };
}
