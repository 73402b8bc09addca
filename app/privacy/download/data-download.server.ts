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

/** The longest time of a download: an open snapshot prevents the database's clean-up. */
const DOWNLOAD_MS = 10 * MINUTE_MS;

export type DownloadFormat = 'zip' | 'json';

const CONTENT_TYPES = { zip: 'application/zip', json: 'application/json; charset=utf-8' };

interface DataDownload {
  name: string;
  contentType: string;
  content: Readable;
  /** Call it when reading has stopped, for any reason. */
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

/** Creates the downloads of everything that is stored about a user. */
export function createDataDownloads(options: DataDownloadsOptions) {
  const { places, sessions, tokenSessions, replayGuard, snapshots, activityLog } = options;

  /** The retention periods of this server. */
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
     * Opens a download of everything that is stored about a user at this moment. Its content is generated
     * while it is read. `null` if another download of the user is running, or the maximum number of
     * snapshots is open.
     *
     * @param record records the download; called before the snapshot opens, so that the download includes
     *   this entry.
     * @throws the database's error during an outage; no download has begun then.
     */
    async open(
      visit: Visit,
      userId: string,
      format: DownloadFormat,
      record: () => Promise<void>,
    ): Promise<DataDownload | null> {
      const { now } = visit;
      // The lock is in the database, because the next request may reach another process. It expires if
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

/** Reads one row of each model, so that an error is thrown before the response begins, not during it. */
async function readOneRowOfEach(snapshot: Snapshot, owner: Owner): Promise<void> {
  for (const mapped of personalModels) {
    const pages = storedRows(snapshot, mapped, owner, 1);
    await pages.next();
    await pages.return(undefined);
  }
}
