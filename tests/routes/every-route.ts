import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ServerBuild } from '@remix-run/node';
import { PASSWORD } from '../fixtures/people.ts';

/** A route of the build, as Remix serves it. */
export interface BuiltRoute {
  id: string;
  /** With `:params` and `*` as they are. */
  pattern: string;
  hasLoader: boolean;
  hasAction: boolean;
}

/** Every route that stands in the build, whoever wrote it and when. */
export async function everyRoute(): Promise<BuiltRoute[]> {
  const file = pathToFileURL(join(process.cwd(), 'build/server/index.js'));
  const { routes } = (await import(file.href)) as ServerBuild;
  const patternOf = (id: string): string => {
    const route = routes[id]!;
    const parent = route.parentId === undefined ? '' : patternOf(route.parentId);
    return route.path ? `${parent}/${route.path}` : parent;
  };
  return Object.values(routes).map((route) => ({
    id: route.id,
    pattern: patternOf(route.id) || '/',
    hasLoader: route.module.loader !== undefined,
    hasAction: route.module.action !== undefined,
  }));
}

/** The path of a route, with this id in place of `:sessionId`. */
export function pathOf({ pattern }: BuiltRoute, sessionId: string): string {
  const path = pattern
    .replace(':sessionId', sessionId)
    .replace(':provider', 'acme')
    .replace(':connectionId', 'c'.repeat(25))
    .replace('*', 'nothing/here');
  if (/[:*]/.test(path)) throw new Error(`Say what stands for the parameter in ${pattern}.`);
  return path;
}

/** Where scripts ask for the same. */
export function dataPathOf(path: string): string {
  return path === '/' ? '/_root.data' : `${path}.data`;
}

/**
 * What a person would send to each route that takes a form, by the route's id, so that it does what
 * it is there for. A route with an action that is missing here fails the tests that try them all.
 */
export function goodFields({ email }: { email: string }): Record<string, Record<string, string>> {
  return {
    'routes/login': { email, password: PASSWORD },
    'routes/signup': { name: 'Grace', email: `new-${email}`, password: PASSWORD },
    'routes/logout': {},
    'routes/theme': { theme: 'dark', redirectTo: '/' },
    'routes/settings.profile': { name: 'Augusta Ada King' },
    'routes/settings.password': {
      ...{ currentPassword: PASSWORD, newPassword: 'another password', signOutOthers: 'on' },
    },
    'routes/settings.data': { password: PASSWORD },
    'routes/settings.data_.download': {},
    'routes/settings.data_.delete': { email, password: PASSWORD },
    'routes/settings.sessions.$sessionId.name': { label: 'Kitchen iPad' },
    'routes/settings.sessions.$sessionId.sign-out': {},
    'routes/settings.sessions.others.sign-out': {},
    'routes/signup_.connection': { name: 'Grace', email: `new-${email}` },
    'routes/login_.provider.$provider': {},
    'routes/confirm_.provider.$provider': {},
    'routes/settings.connections.add.$provider': {},
    'routes/settings.connections.$connectionId.disconnect': {},
    // It takes no form, and says so.
    'routes/$': {},
  };
}
