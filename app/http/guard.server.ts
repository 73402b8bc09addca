import {
  redirect,
  type ActionFunction,
  type LoaderFunction,
  type ServerBuild,
} from '@remix-run/node';
import type { LatchkeyContext } from '#app/context.server.ts';
import { isOfNobody } from '#app/database/errors.server.ts';
import { requireSession } from './signed-in.server.ts';
import { takeUpKeptForm } from './kept-form.server.ts';
import {
  giveBackTries,
  isOutage,
  OUTAGE_RETRY_SECONDS,
  settleChanges,
} from '#app/database/outage.server.ts';
import { loginPathFor } from './return-path.server.ts';
import { signedOutHeaders } from '#app/sign-in/sign-in.server.ts';

type RouteFunction = LoaderFunction | ActionFunction;

/**
 * Puts a guard before every loader and action of a Remix build: a session is required unless the
 * route stands among the public ones, and a dependency that is down is answered with 503. So a new
 * route is closed until somebody opens it, and an outage is never taken for a sign-out, nor for a
 * wrong password. Whose account is erased while their request is under way is signed out: the write
 * that came too late was refused.
 */
export function guardRoutes(build: ServerBuild, publicRoutes: ReadonlySet<string>): ServerBuild {
  const routes = Object.entries(build.routes).map(([id, route]) => {
    const needsSession = !publicRoutes.has(id);
    const { loader, action } = route.module;
    const module = {
      ...route.module,
      ...(loader && { loader: guarded(loader, needsSession) }),
      ...(action && { action: guarded(action, needsSession, { changes: true }) }),
    };
    return [id, { ...route, module }] as const;
  });
  return { ...build, routes: Object.fromEntries(routes) };
}

function guarded<Guarded extends RouteFunction>(
  run: Guarded,
  needsSession: boolean,
  { changes = false }: { changes?: boolean } = {},
): Guarded {
  const guardedRun: LoaderFunction = async (args) => {
    // Remix types the load context through a declaration that the build itself does not see.
    const context = args.context as unknown as LatchkeyContext;
    try {
      if (needsSession) await requireSession({ request: args.request, context });
      const request = await takeUpKeptForm(context, args.request);
      const answer = await run({ ...args, request });
      context.owed.tries.clear();
      if (changes) await settleChanges(context);
      return answer;
    } catch (error) {
      if (isOfNobody(error)) {
        context.log.info('an account was erased while a request for it was under way');
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- Remix's way to leave a loader
        throw redirect(loginPathFor(args.request, context.origin), {
          headers: signedOutHeaders(context),
        });
      }
      if (!isOutage(error)) throw error;
      context.log.error({ err: error }, 'a dependency is down; answered with 503');
      await giveBackTries(context);
      throw unavailable(context.owed.cookies);
    }
  };
  return guardedRun as Guarded;
}

function unavailable(cookies: string[]): Response {
  const headers = new Headers({ 'Retry-After': String(OUTAGE_RETRY_SECONDS) });
  for (const cookie of cookies) headers.append('Set-Cookie', cookie);
  return new Response(null, { status: 503, statusText: 'Service Unavailable', headers });
}
