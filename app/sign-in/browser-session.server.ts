import type { SessionCookie } from '#app/http/session-cookie.server.ts';
import type { Sessions, StartedSession } from '#app/sessions/index.ts';
import type { SessionMeta } from '#app/visit/proof.ts';
import type { User } from '#app/visit/user.ts';
import type { Visit } from '#app/visit/visit.ts';

interface BrowserSessionOptions {
  sessions: Pick<Sessions<SessionMeta, User>, 'renew' | 'revoke'>;
  sessionCookie: Pick<SessionCookie, 'write' | 'remove'>;
}

interface Renewal {
  /** Only a proof makes the session fresh again. */
  isProven?: boolean;
}

export type BrowserSession = ReturnType<typeof createBrowserSession>;

/** The session of the browser, or program, that sent a request. */
export function createBrowserSession({ sessions, sessionCookie }: BrowserSessionOptions) {
  /** Renews the token of a program, which holds it itself. `null` if the session ended meanwhile. */
  const renewToken = async (
    { token, now }: Visit,
    { isProven = false }: Renewal = {},
  ): Promise<StartedSession<SessionMeta> | null> =>
    token ? sessions.renew(token, now, { isProven }) : null;

  /** Ends the session of a program, which holds the token itself. */
  const endToken = async (visit: Visit): Promise<void> => {
    const held = await visit.session();
    if (held.state !== 'live') return;
    const { id, userId } = held.session;
    await sessions.revoke(id, { reason: 'signed-out', by: id, userId }, visit.now);
  };

  return {
    renewToken,

    /**
     * Gives the browser a new token, after a change of the account that requires one or a fresh proof;
     * the old token is dead at once. False if the session ended meanwhile.
     */
    async renew(visit: Visit, renewal: Renewal = {}): Promise<boolean> {
      const renewed = await renewToken(visit, renewal);
      if (!renewed) return false;
      sessionCookie.write(visit, renewed.token, { remember: renewed.session.remember });
      return true;
    },

    endToken,

    /** Ends the session, and removes its cookie and the browser's cached copies of private pages. */
    async end(visit: Visit): Promise<void> {
      await endToken(visit);
      sessionCookie.remove(visit);
    },
  };
}
