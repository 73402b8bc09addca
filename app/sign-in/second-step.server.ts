import { redirect, type TypedResponse } from '@remix-run/node';
import type { PageContext } from '#app/context.server.ts';
import type { Proof } from '#app/visit/proof.ts';
import { findSignedIn } from '#app/http/signed-in.server.ts';
import {
  findPendingSignIn,
  usePendingSignIn,
  type PendingSignIn,
} from './pending-sign-in.server.ts';
import { startSession } from './sign-in.server.ts';
import { writeToast, type ToastMessage } from '#app/http/toast.server.ts';

interface RouteArgs {
  request: Request;
  context: PageContext;
}

/**
 * The sign-in of this browser that waits for its second factor.
 *
 * @throws {Response} 302 to /login with a word why when none waits, or its person has turned the
 *   second factor off meanwhile; home when somebody is signed in already.
 */
export async function requirePendingSignIn({
  request,
  context,
}: RouteArgs): Promise<PendingSignIn> {
  const pending = await findPendingSignIn(context, request);
  if (pending && (await context.totp.isOn(pending.userId))) return pending;
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- Remix's way to leave a loader
  throw await restartSignIn(context);
}

/** Finishes a sign-in whose second factor has just been proven; only once. */
export async function finishSignIn(
  context: PageContext,
  pending: PendingSignIn,
  second: NonNullable<Proof['second']>,
  toast?: ToastMessage,
): Promise<TypedResponse<never>> {
  if (!(await usePendingSignIn(context, pending))) return restartSignIn(context);
  const { userId, remember, redirectTo, proof } = pending;
  return startSession(context, {
    userId,
    remember,
    redirectTo,
    toast,
    proof: { ...proof, second },
  });
}

async function restartSignIn(context: PageContext): Promise<TypedResponse<never>> {
  if (await findSignedIn({ context })) return redirect('/');
  const headers = new Headers({ 'Set-Cookie': context.cookies.pendingSignIn.clear() });
  headers.append('Set-Cookie', writeToast({ kind: 'sign-in-lapsed' }, context.origin));
  return redirect('/login', { headers });
}
