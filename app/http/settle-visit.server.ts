import { isUserGone } from '#app/database/errors.server.ts';
import { isOutage } from '#app/database/outage.server.ts';
import type { Sessions } from '#app/sessions/index.ts';
import type { SessionMeta } from '#app/visit/proof.ts';
import type { User } from '#app/visit/user.ts';
import type { Visit } from '#app/visit/visit.ts';
import type { SessionCookie } from './session-cookie.server.ts';

interface SettleVisitOptions {
  sessions: Pick<Sessions<SessionMeta, User>, 'settle'>;
  sessionCookie: Pick<SessionCookie, 'remove'>;
}

/** The outcome of a request's work. */
type Settled<Result> =
  | { state: 'done'; result: Result }
  /** The account was erased while the request was under way. */
  | { state: 'user-gone' }
  /** A dependency is down: answer 503. */
  | { state: 'outage' };

export type SettleVisit = ReturnType<typeof createSettleVisit>;

/** The same rules for pages and the API; each answers in its own form. */
export function createSettleVisit({ sessions, sessionCookie }: SettleVisitOptions) {
  /**
   * Makes changes to a user's name, e-mail or picture visible on all nodes before the response is sent.
   * The change itself is committed, so a failure here does not fail the request.
   */
  const publishChanges = async ({ log }: Visit): Promise<void> => {
    try {
      await sessions.settle();
    } catch (error) {
      log.warn({ err: error }, 'other nodes may show outdated profile data for a moment');
    }
  };

  /**
   * Runs the work of a request. In an outage it refunds the attempts whose outcome is unknown.
   *
   * @param isChange true if the work may change a user.
   * @throws every other error of `run`, and a `Response` that it throws.
   */
  return async function settleVisit<Result>(
    visit: Visit,
    run: () => Promise<Result>,
    { isChange }: { isChange: boolean },
  ): Promise<Settled<Result>> {
    try {
      const result = await run();
      visit.openAttempts.clear();
      if (isChange) await publishChanges(visit);
      return { state: 'done', result };
    } catch (error) {
      if (isUserGone(error)) {
        visit.log.info('an account was erased while a request for it was under way');
        if (visit.cookieHeader !== null) sessionCookie.remove(visit);
        return { state: 'user-gone' };
      }
      if (!isOutage(error)) throw error;
      visit.log.error({ err: error }, 'a dependency is down; answered with 503');
      // The counters themselves may be down; their windows end all the same.
      await Promise.allSettled([...visit.openAttempts].map((refund) => refund()));
      return { state: 'outage' };
    }
  };
}
