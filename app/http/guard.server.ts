import {
  redirect,
  type ActionFunction,
  type LoaderFunction,
  type ServerBuild,
} from '@remix-run/node';
import type { PageContext } from '#app/context.server.ts';
import { isUserGone } from '#app/database/errors.server.ts';
import { signedIn, type RouteAccess } from './route-access.ts';
import { requireSignedIn } from './signed-in.server.ts';
import { requireFresh } from './fresh-proof.server.ts';
import { restoreSavedForm } from './kept-form.server.ts';
import {
  refundAttempts,
  isOutage,
  OUTAGE_RETRY_SECONDS,
  publishProfileChanges,
} from '#app/database/outage.server.ts';
import { loginPath } from './return-path.server.ts';
import { signedOutHeaders } from '#app/sign-in/sign-in.server.ts';

type RouteFunction = LoaderFunction | ActionFunction;

/**
 * Puts a guard before every loader and action of a Remix build, by the table in `routes.ts`: a route
 * without an entry there requires a session. A dependency that is down is answered with 503, so an
 * outage is never taken for a sign-out, nor for a wrong password. A user whose account is erased while
 * a request is under way is signed out; the late write was refused.
 */
export function guardBuild(
  build: ServerBuild,
  access: ReadonlyMap<string, RouteAccess>,
): ServerBuild {
  const routes = Object.entries(build.routes).map(([id, route]) => {
    const { level } = access.get(id) ?? signedIn;
    const { loader, action } = route.module;
    const module = {
      ...route.module,
      ...(loader && { loader: guarded(loader, level, { isForm: false }) }),
      ...(action && { action: guarded(action, level, { isForm: true }) }),
    };
    return [id, { ...route, module }] as const;
  });
  return { ...build, routes: Object.fromEntries(routes) };
}

function guarded<Guarded extends RouteFunction>(
  run: Guarded,
  level: RouteAccess['level'],
  { isForm }: { isForm: boolean },
): Guarded {
  const needsProof = level === 'fresh' || (level === 'fresh-form' && isForm);
  const guardedRun: LoaderFunction = async (args) => {
    // Remix types the load context through a declaration that the build itself does not see.
    const context = args.context as unknown as PageContext;
    try {
      if (level !== 'open') await requireSignedIn({ request: args.request, context });
      // First, because the check for a fresh proof may save this very form.
      const request = await restoreSavedForm(context, args.request);
      if (needsProof) await requireFresh({ request, context });
      const answer = await run({ ...args, request });
      context.owed.tries.clear();
      if (isForm) await publishProfileChanges(context);
      return answer;
    } catch (error) {
      if (isUserGone(error)) {
        context.log.info('an account was erased while a request for it was under way');
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- Remix's way to leave a loader
        throw redirect(loginPath(args.request, context.origin), {
          headers: signedOutHeaders(context),
        });
      }
      if (!isOutage(error)) throw error;
      context.log.error({ err: error }, 'a dependency is down; answered with 503');
      await refundAttempts(context);
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
