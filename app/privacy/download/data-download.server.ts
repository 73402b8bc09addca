import { Readable } from 'node:stream';
import type { ActivityLog } from '#app/activity/activity-log.server.ts';
import type { Database } from '#app/database/database.server.ts';
import type { ReplayGuard } from '#app/database/replay-guard.server.ts';
import type { Snapshot } from '#app/database/snapshots.server.ts';
import type { Sessions } from '#app/sessions/index.ts';
import { DAY_MS, MINUTE_MS } from '#app/sessions/time.ts';
import type { SessionMeta } from '#app/visit/proof.ts';
import type { User } from '#app/visit/user.ts';
import type { Visit } from '#app/visit/visit.ts';
import type { Periods } from '../data-map/field-classes.ts';
import { personalModels } from '../data-map/data-map.ts';
import { dataJson } from './data-json.ts';
import { dataZip } from './data-zip.ts';
import { readProfile, storedRows, type Owner } from './stored-rows.ts';
import type { RowContext } from './described-rows.ts';

/** A snapshot keeps the database from cleaning up, so it must not be held for ever. */
export const DOWNLOAD_MS = 10 * MINUTE_MS;

export type DownloadFormat = 'zip' | 'json';

const CONTENT_TYPES = { zip: 'application/zip', json: 'application/json; charset=utf-8' };

export interface DataDownload {
  name: string;
  contentType: string;
  content: Readable;
  /** Call it when nothing more is read, for whatever reason. */
  end(): Promise<void>;
}

interface DataDownloadsOptions {
  places: RowContext['places'];
  sessions: Pick<Sessions<SessionMeta, User>, 'endingOf' | 'retentionMs'>;
  tokenSessions: RowContext['tokenSessions'];
  replayGuard: Pick<ReplayGuard, 'lock' | 'unlock'>;
  snapshots: Database['snapshots'];
  activityLog: Pick<ActivityLog, 'retentionDays'>;
}

export type DataDownloads = ReturnType<typeof createDataDownloads>;

/** Downloads of everything that is stored about a user. */
export function createDataDownloads(options: DataDownloadsOptions) {
  const { places, sessions, tokenSessions, replayGuard, snapshots, activityLog } = options;

  /** How long data is stored here. */
  const periods: Periods = {
    sessionRetentionDays: Math.round(sessions.retentionMs / DAY_MS),
    activityRetentionDays: activityLog.retentionDays,
  };

  const contentOf = async (
    snapshot: Snapshot,
    { now }: Visit,
    userId: string,
    format: DownloadFormat,
  ): Promise<Readable | null> => {
    const owner = await readProfile(snapshot, userId);
    if (!owner) return null;
    await readOneRowOfEach(snapshot, owner);
    const telling: RowContext = { places, sessions, tokenSessions, now, known: new Map() };
    return format === 'zip'
      ? dataZip(snapshot, owner, { telling, periods })
      : Readable.from(dataJson(snapshot, owner, telling), { objectMode: false });
  };

  return {
    periods,

    /**
     * Opens a download of everything that is stored about a user at this moment; it is made while it is
     * read. `null` if one of theirs is under way, or as many as the server allows.
     *
     * @param record records the download; called before the snapshot is taken, so that it is in it.
     * @throws what the database throws if it is down: no download has begun then.
     */
    async open(
      visit: Visit,
      userId: string,
      format: DownloadFormat,
      record: () => Promise<void>,
    ): Promise<DataDownload | null> {
      const { now } = visit;
      // In the database, because the next request may reach another process. It expires by itself if
      // this process dies.
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
        await record();
        snapshot = await snapshots.open();
        const content = snapshot && (await contentOf(snapshot, visit, userId, format));
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
    },
  };
}

/** Reports what cannot be read before the response begins: later it could only be cut off. */
async function readOneRowOfEach(snapshot: Snapshot, owner: Owner): Promise<void> {
  for (const mapped of personalModels) {
    const pages = storedRows(snapshot, mapped, owner, 1);
    await pages.next();
    await pages.return(undefined);
  }
}
