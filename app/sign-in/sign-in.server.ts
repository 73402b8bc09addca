import { randomUUID } from 'node:crypto';
import { redirect, type TypedResponse } from '@remix-run/node';
import type { Activity } from '#app/activity/record-activity.server.ts';
import type { Totp } from '#app/credentials/totp/totp.server.ts';
import { safeReturnPath } from '#app/http/return-path.server.ts';
import type { SessionCookie } from '#app/http/session-cookie.server.ts';
import type { Toast } from '#app/http/toast.server.ts';
import type { Sessions, StartedSession } from '#app/sessions/index.ts';
import { isFullProof, type Proof, type SessionMeta } from '#app/visit/proof.ts';
import type { User } from '#app/visit/user.ts';
import { findSignedIn, type Visit } from '#app/visit/visit.ts';
import type { PendingSignIn, PendingSignIns } from './pending-sign-in.server.ts';

/** A user who has just proven who they are. */
export interface ProvenUser {
  userId: string;
  proof: Proof;
  remember: boolean;
  redirectTo: unknown;
  /** What the next page says. */
  message?: string;
}

/** The outcome of a sign-in. */
type SignInResult =
  | { state: 'signed-in'; started: StartedSession<SessionMeta> }
  /** There is no session yet: this must be carried to the second step. */
  | { state: 'second-factor'; pending: PendingSignIn };

interface SignInOptions {
  sessions: Pick<Sessions<SessionMeta, User>, 'start'>;
  sessionCookie: Pick<SessionCookie, 'write'>;
  totp: Pick<Totp, 'isOn'>;
  pendingSignIns: PendingSignIns;
  activity: Pick<Activity, 'record'>;
  toast: Pick<Toast, 'show'>;
}

export type SignIn = ReturnType<typeof createSignIn>;

const EXPIRED = 'That took too long, or was finished already. Sign in once more.';

/** Signing in: every way to prove who a user is leads through {@link SignIn.complete}. */
export function createSignIn(options: SignInOptions) {
  const { sessions, sessionCookie, totp, pendingSignIns, activity, toast } = options;

  /**
   * Completes a sign-in. Users with a second factor must pass it before a session exists, however they
   * signed in. Otherwise starts a session under a new token, ends the session that the request came
   * with, and records the sign-in.
   *
   * @param label the name of the session; `null`: it is named after its device.
   */
  const complete = async (
    visit: Visit,
    { userId, proof, remember, redirectTo }: Omit<ProvenUser, 'message'>,
    label: string | null = null,
  ): Promise<SignInResult> => {
    if (!isFullProof(proof) && (await totp.isOn(userId))) {
      const pending = {
        id: randomUUID(),
        userId,
        proof,
        remember,
        redirectTo: safeReturnPath(redirectTo),
        provenAt: visit.now.getTime(),
      };
      return { state: 'second-factor', pending };
    }
    const held = await visit.session();
    const { userAgent, ipAddress, country } = visit.device;
    const started = await sessions.start(
      {
        userId,
        remember,
        label,
        meta: { proof },
        userAgent,
        ipAddress,
        country,
        replaces: held.state === 'live' ? held.session : null,
      },
      visit.now,
    );
    await activity.record(visit, userId, { kind: 'signed-in' }, started.session.id);
    return { state: 'signed-in', started };
  };

  /** Signs a browser in, and redirects it to where the user was going. */
  const signInBrowser = async (visit: Visit, proven: ProvenUser): Promise<TypedResponse<never>> => {
    const result = await complete(visit, proven);
    if (result.state === 'second-factor') {
      pendingSignIns.write(visit, result.pending);
      return redirect('/login/code');
    }
    sessionCookie.write(visit, result.started.token, { remember: proven.remember });
    pendingSignIns.remove(visit);
    if (proven.message !== undefined) toast.show(visit, proven.message);
    return redirect(safeReturnPath(proven.redirectTo));
  };

  const restart = async (visit: Visit): Promise<TypedResponse<never>> => {
    if (await findSignedIn(visit)) return redirect('/');
    pendingSignIns.remove(visit);
    toast.show(visit, EXPIRED);
    return redirect('/login');
  };

  return {
    complete,
    signInBrowser,

    /**
     * Returns the sign-in of this browser that waits for its second factor.
     *
     * @throws {Response} 302 to /login with a message if none waits, or the user has turned the second
     *   factor off meanwhile; 302 to the home page if the user is signed in already.
     */
    async requirePending(visit: Visit): Promise<PendingSignIn> {
      const pending = await pendingSignIns.find(visit);
      if (pending && (await totp.isOn(pending.userId))) return pending;
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- Remix's way to leave a loader
      throw await restart(visit);
    },

    /** Finishes a sign-in whose second factor has just been proven; only once. */
    async finish(
      visit: Visit,
      pending: PendingSignIn,
      second: NonNullable<Proof['second']>,
      message?: string,
    ): Promise<TypedResponse<never>> {
      if (!(await pendingSignIns.use(pending))) return restart(visit);
      const { userId, remember, redirectTo, proof } = pending;
      const full = { ...proof, second };
      return signInBrowser(visit, { userId, remember, redirectTo, message, proof: full });
    },
  };
}
