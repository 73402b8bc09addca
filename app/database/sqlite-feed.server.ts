import type BetterSqlite3 from 'better-sqlite3';
import type { NewsFeed, SessionEvent } from '#app/sessions/session-feed.ts';
import { createSubscribers } from '#app/sessions/feeds/subscribers.ts';

/** How often to check for changes by other processes; open pages show such changes at most this late. */
const POLL_EVERY_MS = 500;
/** How often to check whether a running transaction has been committed. */
const COMMIT_CHECK_MS = 5;

// Temporary triggers belong to the connection, so they report only the writes of this process,
// including cascades. A touch is not reported. Reporting a change that is rolled back is harmless.
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
  CREATE TEMP TRIGGER "news_user" AFTER UPDATE ON main."User" BEGIN
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

interface SqliteFeed extends NewsFeed {
  /** Watches a connection. Call it with each new connection over which the process writes. */
  watch(driver: BetterSqlite3.Database): void;
}

/**
 * Creates the feed of a SQLite file, which has one server process. Triggers on the server's connection
 * report its own changes as soon as they are committed. `PRAGMA data_version` shows within half a
 * second that another process wrote to the file, but not what it wrote.
 */
export function createSqliteFeed(): SqliteFeed {
  const subscribers = createSubscribers();
  let driver: BetterSqlite3.Database | null = null;
  let version: unknown;
  /** Changes from triggers, held until the commit: subscribers read the rows over another connection. */
  const waiting: SessionEvent[] = [];
  const publishWhenCommitted = () => {
    if (driver?.open && driver.inTransaction)
      return void setTimeout(publishWhenCommitted, COMMIT_CHECK_MS);
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
  }, POLL_EVERY_MS);
  timer.unref();

  return {
    watch(connection) {
      const tell = (kind: SessionEvent['kind'], id: string | null, userId: string) => {
        if (waiting.push({ kind, id, userId }) === 1) queueMicrotask(publishWhenCommitted);
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
