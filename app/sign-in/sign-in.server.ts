import { randomUUID } from 'node:crypto';
import { redirect, type TypedResponse } from '@remix-run/node';
import type { PageContext } from '#app/context.server.ts';
import { isFullProof, type Proof, type SessionMeta } from '#app/visit/proof.ts';
import { SECOND_MS, type StartedSession } from '#app/sessions/index.ts';
import { recordActivity } from '#app/activity/record-activity.server.ts';
import type { PendingSignIn } from './pending-sign-in.server.ts';
import { safeReturnPath } from '#app/http/return-path.server.ts';
import { writeToast, type ToastMessage } from '#app/http/toast.server.ts';

/** A person who has just proven who they are. */
export interface ProvenUser {
  userId: string;
  proof: Proof;
  remember: boolean;
  redirectTo: unknown;
  toast?: ToastMessage;
}

/** Where somebody stands once they came through the door. */
export type SignInResult =
  | { state: 'signed-in'; started: StartedSession<SessionMeta> }
  /** No session yet: this is to be carried to the second step. */
  | { state: 'second-factor'; pending: PendingSignIn };

/**
 * The one door that all ways to sign in lead through. Who has a second factor and has not shown it
 * is asked for it first, whatever the way in; there is no session until then. Then: a new session
 * under a new token, the end of whatever the request came with, and a line in the log of the account.
 *
 * @param label what the session is called from the start; left out: it goes by its device.
 */
export async function completeSignIn(
  context: PageContext,
  { userId, proof, remember, redirectTo }: Omit<ProvenUser, 'toast'>,
  label: string | null = null,
): Promise<SignInResult> {
  if (!isFullProof(proof) && (await context.totp.isOn(userId))) {
    const provenAt = context.now.getTime();
    const goOnTo = { redirectTo: safeReturnPath(redirectTo) };
    const pending = { id: randomUUID(), userId, proof, remember, provenAt, ...goOnTo };
    return { state: 'second-factor', pending };
  }
  const held = await context.session();
  const started = await context.sessions.start(
    {
      userId,
      remember,
      label,
      meta: { proof },
      ...deviceOf(context),
      replaces: held.state === 'live' ? held.session : null,
    },
    context.now,
  );
  await recordActivity(context, userId, { kind: 'signed-in' }, started.session.id);
  return { state: 'signed-in', started };
}

/** Brings a browser through the door, and on to where the person was going. */
export async function startSession(
  context: PageContext,
  proven: ProvenUser,
): Promise<TypedResponse<never>> {
  const { remember, toast } = proven;
  const entered = await completeSignIn(context, proven);
  const { pendingSignIn } = context.cookies;
  if (entered.state === 'second-factor') {
    const cookie = pendingSignIn.write(entered.pending, context.now);
    return redirect('/login/code', { headers: { 'Set-Cookie': cookie } });
  }
  const { token } = entered.started;
  const headers = new Headers({ 'Set-Cookie': cookieFor(context, token, remember) });
  headers.append('Set-Cookie', pendingSignIn.clear());
  if (toast) headers.append('Set-Cookie', writeToast(toast, context.origin));
  return redirect(safeReturnPath(proven.redirectTo), { headers });
}

/**
 * A new token for this browser, after a change of the account that asks for one or after the person
 * has proven again who they are; the old one is dead at once. Answers the `Set-Cookie` value; null
 * when the session ended meanwhile.
 *
 * @param isProven only a proof makes the session fresh again.
 */
export async function renewSession(
  context: PageContext,
  { isProven = false }: { isProven?: boolean } = {},
): Promise<string | null> {
  const renewed = await renewToken(context, { isProven });
  if (!renewed) return null;
  const cookie = cookieFor(context, renewed.token, renewed.session.remember);
  context.owed.cookies.push(cookie);
  return cookie;
}

/** The same for whoever holds the token itself. null: the session ended meanwhile. */
export async function renewToken(
  { sessions, token, now }: Pick<PageContext, 'sessions' | 'token' | 'now'>,
  { isProven = false }: { isProven?: boolean } = {},
): Promise<StartedSession<SessionMeta> | null> {
  return token ? sessions.renew(token, now, { isProven }) : null;
}

/** Ends this browser's session, takes its cookie away and has the browser forget what it cached. */
export async function endSession(context: PageContext): Promise<Headers> {
  const held = await context.session();
  if (held.state === 'live') {
    const { id, userId } = held.session;
    await context.sessions.revoke(id, { reason: 'signed-out', by: id, userId }, context.now);
  }
  return signedOutHeaders(context);
}

/** Headers for a browser that is signed out: no cookie, and no copy of a private page. */
export function signedOutHeaders(context: PageContext): Headers {
  return new Headers({
    'Set-Cookie': context.sessionCookie.clear(),
    'Clear-Site-Data': '"cache"',
  });
}

function cookieFor(context: PageContext, token: string, remember: boolean): string {
  const { rememberedLifetimeMs } = context.sessions.timeouts;
  return context.sessionCookie.write(token, remember ? rememberedLifetimeMs / SECOND_MS : null);
}

/** What is known of the device, as a session keeps it. */
export function deviceOf({ device: { userAgent, ipAddress, country } }: PageContext) {
  return { userAgent, ipAddress, country };
}
