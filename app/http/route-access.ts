import type { RouteConfigEntry } from '@remix-run/route-config';

/** Who may open a URL. The guard enforces it before any loader or action runs; see `guard.server.ts`. */
export type RouteAccess =
  /** Everyone; the reason is for reviewers. */
  | { level: 'open'; reason: string }
  /** Users with a session. */
  | { level: 'signed-in' }
  /** Users who proved who they are within the last quarter of an hour. */
  | { level: 'fresh' }
  /** Users with a session see the page; sending its form requires a fresh proof. */
  | { level: 'fresh-form' };

/** One URL of the application: a row of the table in `routes.ts`. */
export interface RouteUrl {
  /** Below the parent's path, without slashes around it; `''` is the parent's own URL. */
  path: string;
  /** Below `app/routes`. */
  file: string;
  access: RouteAccess;
  children: RouteUrl[];
}

export const open = (reason: string): RouteAccess => ({ level: 'open', reason });
export const signedIn: RouteAccess = { level: 'signed-in' };
export const fresh: RouteAccess = { level: 'fresh' };
export const freshForm: RouteAccess = { level: 'fresh-form' };

/** Makes a row of the table in `routes.ts`. */
export const url = (
  path: string,
  file: string,
  access: RouteAccess,
  children: RouteUrl[] = [],
): RouteUrl => ({ path, file, access, children });

/** Returns the id that Remix knows a route by, such as `routes/login/page`. */
const routeId = (file: string): string => `routes/${file.replace(/\.tsx?$/, '')}`;

/** Turns the table into what Remix reads. */
export function toRouteConfig(urls: RouteUrl[]): RouteConfigEntry[] {
  return urls.map(({ path, file, children }) => ({
    id: routeId(file),
    file: `routes/${file}`,
    ...(path === '' ? { index: true } : { path }),
    ...(children.length > 0 && { children: toRouteConfig(children) }),
  }));
}

/** Returns who may open each route, by the route's id. A route without an entry requires a session. */
export function accessByRoute(urls: RouteUrl[]): ReadonlyMap<string, RouteAccess> {
  const entries = (rows: RouteUrl[]): [string, RouteAccess][] =>
    rows.flatMap(({ file, access, children }) => [[routeId(file), access], ...entries(children)]);
  return new Map([
    ['root', open('The frame of every page. It shows the user, if there is one.')],
    ...entries(urls),
  ]);
}
