import {
  redirect,
  type ActionFunction,
  type LoaderFunction,
  type ServerBuild,
} from '@remix-run/node';
import { OUTAGE_RETRY_SECONDS } from '#app/database/outage.server.ts';
import { findSignedIn, type Visit } from '#app/visit/visit.ts';
import type { FreshProof } from './fresh-proof.server.ts';
import { loginPath } from './return-path.server.ts';
import { signedIn, type RouteAccess } from './route-access.ts';
import type { SavedForms } from './saved-forms.server.ts';
import type { SettleVisit } from './settle-visit.server.ts';

type RouteFunction = LoaderFunction | ActionFunction;

interface GuardOptions {
  origin: string;
  /** Who may open each route, by its id; see `routes.ts`. */
  access: ReadonlyMap<string, RouteAccess>;
  savedForms: Pick<SavedForms, 'restore'>;
  freshProof: Pick<FreshProof, 'require'>;
  settleVisit: SettleVisit;
}

/** Puts the guard before every loader and action of a Remix build. */
export type GuardBuild = (build: ServerBuild) => ServerBuild;

/**
 * Makes the guard of an application. A route without an entry in the table requires a session. A
 * dependency that is down is answered with 503, so an outage is never taken for a sign-out, nor for a
 * wrong password. A user whose account is erased while a request is under way is signed out; the late
 * write was refused.
 */
export function createGuard(options: GuardOptions): GuardBuild {
  const { origin, access, savedForms, freshProof, settleVisit } = options;

  const guarded = <Guarded extends RouteFunction>(
    run: Guarded,
    level: RouteAccess['level'],
    { isForm }: { isForm: boolean },
  ): Guarded => {
    const needsProof = level === 'fresh' || (level === 'fresh-form' && isForm);
    const guardedRun: LoaderFunction = async (args) => {
      // Remix types the load context through a declaration that the build itself does not see.
      const { visit } = args.context as unknown as { visit: Visit };
      const checkAndRun = async () => {
        if (level !== 'open' && !(await findSignedIn(visit))) {
          // eslint-disable-next-line @typescript-eslint/only-throw-error -- Remix's way to leave a loader
          throw redirect(loginPath(args.request, origin));
        }
        // First, because the check for a fresh proof may save this very form.
        const request = await savedForms.restore(visit, args.request);
        if (needsProof) await freshProof.require(visit, request);
        return run({ ...args, request });
      };
      const settled = await settleVisit(visit, async () => checkAndRun(), { isChange: isForm });
      if (settled.state === 'done') return settled.result;
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- Remix's way to leave a loader
      if (settled.state === 'user-gone') throw redirect(loginPath(args.request, origin));
      throw serviceUnavailable();
    };
    return guardedRun as Guarded;
  };

  return (build) => {
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
  };
}

function serviceUnavailable(): Response {
  return new Response(null, {
    status: 503,
    statusText: 'Service Unavailable',
    headers: { 'Retry-After': String(OUTAGE_RETRY_SECONDS) },
  });
}
