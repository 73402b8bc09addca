import type BetterSqlite3 from 'better-sqlite3';
import type { NewsFeed, SessionEvent } from '#app/sessions/session-feed.ts';
import { createSubscribers } from '#app/sessions/feeds/subscribers.ts';

/** Open pages show what another process changed in the file after this long at the most. */
const LOOK_EVERY_MS = 500;
/** While a transaction is under way. */
const LOOK_AGAIN_MS = 5;

// Of the connection and not of the file: they tell of what this process writes, at once, also of what
// a cascade takes along. A touch is no news. What is told and then rolled back has done no harm.
const TRIGGERS = `
  CREATE TEMP TRIGGER "news_started" AFTER INSERT ON main."Session" BEGIN
    SELECT latchkey_news('started', NEW."id", NEW."userId");
  END;
  CREATE TEMP TRIGGER "news_changed" AFTER UPDATE ON main."Session"
    WHEN NEW."revokedAt" IS NOT OLD."revokedAt" OR NEW."secretHash" IS NOT OLD."secretHash"
      OR NEW."userId" IS NOT OLD."userId" OR NEW."label" IS NOT OLD."label"
      OR NEW."meta" IS NOT OLD."meta" OR NEW."remember" IS NOT OLD."remember"
      OR NEW."createdAt" IS NOT OLD."createdAt" OR NEW."expiresAt" < OLD."expiresAt"
      OR NEW."reauthenticatedAt" IS NOT OLD."reauthenticatedAt"
  BEGIN
    SELECT latchkey_news(
      CASE WHEN NEW."revokedAt" IS NOT NULL AND OLD."revokedAt" IS NULL THEN 'ended' ELSE 'changed' END,
      OLD."id", OLD."userId");
  END;
  CREATE TEMP TRIGGER "news_deleted" AFTER DELETE ON main."Session" WHEN OLD."revokedAt" IS NULL BEGIN
    SELECT latchkey_news('ended', OLD."id", OLD."userId");
  END;
  CREATE TEMP TRIGGER "news_person" AFTER UPDATE ON main."User" BEGIN
    SELECT latchkey_news('changed', NULL, OLD."id");
  END;
  CREATE TEMP TRIGGER "news_picture_added" AFTER INSERT ON main."Picture" BEGIN
    SELECT latchkey_news('changed', NULL, NEW."userId");
  END;
  CREATE TEMP TRIGGER "news_picture_changed" AFTER UPDATE ON main."Picture" BEGIN
    SELECT latchkey_news('changed', NULL, NEW."userId");
  END;
  CREATE TEMP TRIGGER "news_picture_removed" AFTER DELETE ON main."Picture" BEGIN
    SELECT latchkey_news('changed', NULL, OLD."userId");
  END;
`;

export interface SqliteFeed extends NewsFeed {
  /** To be called with each new connection that the process writes by. */
  watch(driver: BetterSqlite3.Database): void;
}

/**
 * The news of a SQLite file, of which there is one server process. Triggers of its connection tell what
 * it writes, as soon as that is committed; what any other process writes is noticed within half a second by
 * `PRAGMA data_version`, which tells that there was something and not what.
 */
export function createSqliteFeed(): SqliteFeed {
  const subscribers = createSubscribers();
  let driver: BetterSqlite3.Database | null = null;
  let version: unknown;
  /** Told by triggers, in the middle of the write: rows are read over another connection, after the commit. */
  const waiting: SessionEvent[] = [];
  const tellWhenCommitted = () => {
    if (driver?.open && driver.inTransaction)
      return void setTimeout(tellWhenCommitted, LOOK_AGAIN_MS);
    for (const news of waiting.splice(0)) subscribers.tell(news);
  };
  const versionOf = (db: BetterSqlite3.Database) => db.pragma('data_version', { simple: true });
  const timer = setInterval(() => {
    if (!driver?.open) return;
    const now = versionOf(driver);
    if (now === version) return;
    version = now;
    subscribers.tellLink(false);
    subscribers.tellLink(true);
  }, LOOK_EVERY_MS);
  timer.unref();

  return {
    watch(connection) {
      const tell = (kind: SessionEvent['kind'], id: string | null, userId: string) => {
        if (waiting.push({ kind, id, userId }) === 1) queueMicrotask(tellWhenCommitted);
        return null;
      };
      connection.function('latchkey_news', tell);
      connection.exec(TRIGGERS);
      driver = connection;
      version = versionOf(connection);
      subscribers.tellLink(true);
    },
    publish: () => undefined,
    subscribe: (listener) => subscribers.subscribe(listener),
    onLink: (listener) => subscribers.onLink(listener),
    isLinked: () => driver !== null && driver.open,
    close() {
      clearInterval(timer);
      driver = null;
      subscribers.clear();
      return Promise.resolve();
    },
  };
}
