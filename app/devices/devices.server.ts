import type { Activity } from '#app/activity/record-activity.server.ts';
import type { EndReason, Session, Sessions } from '#app/sessions/index.ts';
import type { SessionMeta } from '#app/visit/proof.ts';
import type { User } from '#app/visit/user.ts';
import type { Visit } from '#app/visit/visit.ts';
import { deviceName } from './device-view.server.ts';

interface DevicesOptions {
  sessions: Pick<Sessions<SessionMeta, User>, 'find' | 'revoke' | 'revokeOthers'>;
  activity: Pick<Activity, 'record'>;
}

export type Devices = ReturnType<typeof createDevices>;

/** The devices where a user is signed in. */
export function createDevices({ sessions, activity }: DevicesOptions) {
  return {
    /** Returns a session of this user, live or ended; `null` for an unknown id, or another user's. */
    find: async (userId: string, id: string | undefined): Promise<Session<SessionMeta> | null> =>
      id === undefined ? null : sessions.find(id, userId),

    /**
     * Signs a device out and records it. False if it was signed out already.
     *
     * @param by public id of the session, or token, that asks for it.
     */
    async signOut(visit: Visit, session: Session<SessionMeta>, by: string): Promise<boolean> {
      const { id, userId } = session;
      const revocation = { reason: 'signed-out-elsewhere', by, userId } as const;
      const isEnded = await sessions.revoke(id, revocation, visit.now);
      const event = { kind: 'session-ended', device: deviceName(session) } as const;
      if (isEnded) await activity.record(visit, userId, event, by);
      return isEnded;
    },

    /**
     * Signs out every device of the user except one, and records it. Returns how many there were.
     *
     * @param currentId public id of the session that stays; `null` signs out all of them.
     * @param by public id of the session, or token, that asks for it.
     */
    async signOutOthers(
      visit: Visit,
      userId: string,
      currentId: string | null,
      reason: EndReason,
      by = currentId ?? undefined,
    ): Promise<number> {
      const ended = await sessions.revokeOthers(userId, currentId, { reason, by }, visit.now);
      if (ended.length > 0) {
        const event = { kind: 'sessions-ended', count: ended.length } as const;
        await activity.record(visit, userId, event, by);
      }
      return ended.length;
    },
  };
}
