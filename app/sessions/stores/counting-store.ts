import type { EndReason } from '../session.ts';
import type { SessionStore } from '../session-store.ts';

/**
 * The same store, which tells how many live sessions were ended through it, and why. What was not
 * live any more does not count.
 */
export function countEndedSessions<Meta, User>(
  store: SessionStore<Meta, User>,
  onEnded: (reason: EndReason, count: number) => void,
): SessionStore<Meta, User> {
  const tell = (reason: EndReason, count: number) => {
    if (count > 0) onEnded(reason, count);
  };
  return {
    ...store,
    ...(store.revokeSession && {
      async revokeSession(id, ending, userId) {
        const isEnded = await store.revokeSession!(id, ending, userId);
        tell(ending.reason, isEnded ? 1 : 0);
        return isEnded;
      },
    }),
    ...(store.deleteSessionsForUser && {
      async deleteSessionsForUser(userId, exceptId, ending) {
        const ids = await store.deleteSessionsForUser!(userId, exceptId, ending);
        tell(ending.reason, ids.length);
        return ids;
      },
    }),
    ...(store.trimSessionsForUser && {
      async trimSessionsForUser(userId, keep, exceptId, ending) {
        const ids = await store.trimSessionsForUser!(userId, keep, exceptId, ending);
        tell(ending.reason, ids.length);
        return ids;
      },
    }),
  } satisfies SessionStore<Meta, User>;
}
