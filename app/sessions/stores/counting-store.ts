import type { EndReason } from '../session.ts';
import type { SessionStore } from '../session-store.ts';

/**
 * Returns a store that behaves like `store` and calls `onEnded` with the number of live sessions that
 * each call ended, and the reason. Sessions that were no longer live do not count.
 */
export function countEndedSessions<Meta, User>(
  store: SessionStore<Meta, User>,
  onEnded: (reason: EndReason, count: number) => void,
): SessionStore<Meta, User> {
  const report = (reason: EndReason, count: number) => {
    if (count > 0) onEnded(reason, count);
  };
  return {
    ...store,
    ...(store.revokeSession && {
      async revokeSession(id, ending, userId) {
        const isEnded = await store.revokeSession!(id, ending, userId);
        report(ending.reason, isEnded ? 1 : 0);
        return isEnded;
      },
    }),
    ...(store.deleteSessionsForUser && {
      async deleteSessionsForUser(userId, exceptId, ending) {
        const ids = await store.deleteSessionsForUser!(userId, exceptId, ending);
        report(ending.reason, ids.length);
        return ids;
      },
    }),
    ...(store.trimSessionsForUser && {
      async trimSessionsForUser(userId, keep, exceptId, ending) {
        const ids = await store.trimSessionsForUser!(userId, keep, exceptId, ending);
        report(ending.reason, ids.length);
        return ids;
      },
    }),
  } satisfies SessionStore<Meta, User>;
}
