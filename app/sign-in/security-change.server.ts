import type { ActivityEvent } from '#app/activity/activity-event.ts';
import type { Activity } from '#app/activity/record-activity.server.ts';
import type { Devices } from '#app/devices/devices.server.ts';
import type { AccessTokens } from '#app/tokens/access-tokens.server.ts';
import type { SignedIn, Visit } from '#app/visit/visit.ts';
import type { BrowserSession } from './browser-session.server.ts';

interface SecurityChangesOptions {
  activity: Pick<Activity, 'record'>;
  devices: Pick<Devices, 'signOutOthers'>;
  accessTokens: Pick<AccessTokens, 'revokeAll'>;
  browserSession: Pick<BrowserSession, 'renew'>;
}

/** What follows a change of how a user signs in. */
export function createSecurityChanges(options: SecurityChangesOptions) {
  const { activity, devices, accessTokens, browserSession } = options;
  return {
    /**
     * Records the change, signs out every other device and revokes every access token if the user
     * wants that (ASVS 7.4.3), and renews this browser's token (7.2.4) without making it fresher. If
     * this session ended meanwhile, it gets no token, and the next page asks for a sign-in.
     *
     * @returns how many other devices were signed out; `null` if the user did not ask for it.
     */
    async finish(
      visit: Visit,
      { user, session }: SignedIn,
      event: ActivityEvent,
      { signOutOthers, endTokens = false }: { signOutOthers: boolean; endTokens?: boolean },
    ): Promise<number | null> {
      await activity.record(visit, user.id, event);
      const reason = event.kind === 'password-changed' ? event.kind : 'signed-out-elsewhere';
      const count = signOutOthers
        ? await devices.signOutOthers(visit, user.id, session.id, reason)
        : null;
      if (endTokens) await accessTokens.revokeAll(visit, user.id, session.id, reason);
      // Last: nothing after this can fail and cost the browser its new token.
      await browserSession.renew(visit);
      return count;
    },
  };
}
