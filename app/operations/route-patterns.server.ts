import type { ServerBuild } from '@remix-run/node';

/** For whatever no route of its own answers. */
const NO_ROUTE = '*';
const MANIFEST = '/__manifest';
/** The kinds of segments in the order in which Remix prefers them. */
const STATIC = '0';
const REQUIRED = '1';
const OPTIONAL = '2';
const SPLAT = '3';

/**
 * Which route answers a path, by its pattern (`/settings/sessions/:sessionId/name`): as many different
 * answers as there are routes, whatever people ask for.
 *
 * @param others patterns of what is answered before Remix.
 */
export function createRouteMatcher(
  build: Pick<ServerBuild, 'routes'>,
  others: readonly string[] = [],
): (path: string) => string {
  const ofBuild = Object.keys(build.routes).map((id) => patternOf(build, id));
  const patterns = [...new Set([...ofBuild, ...others])]
    .filter((pattern) => !pattern.includes('*'))
    .sort((one, other) => (rankOf(one) < rankOf(other) ? -1 : 1))
    .map((pattern) => ({ pattern, matches: matcherOf(pattern) }));
  return (path) => {
    if (path === MANIFEST) return MANIFEST;
    // Where scripts ask for the data of a page.
    const page = path === '/_root.data' ? '/' : path.replace(/\.data$/, '');
    return patterns.find(({ matches }) => matches.test(page))?.pattern ?? NO_ROUTE;
  };
}

function patternOf({ routes }: Pick<ServerBuild, 'routes'>, id: string): string {
  const segments: string[] = [];
  for (let route = routes[id]; route; route = routes[route.parentId ?? '']) {
    if (route.path) segments.unshift(route.path);
  }
  return `/${segments.join('/')}`;
}

const kindOf = (segment: string) => {
  if (segment === '*') return SPLAT;
  if (segment.endsWith('?')) return OPTIONAL;
  return segment.startsWith(':') ? REQUIRED : STATIC;
};
const rankOf = (pattern: string) => pattern.split('/').map(kindOf).join('');

function matcherOf(pattern: string): RegExp {
  const source = pattern
    .split('/')
    .filter(Boolean)
    .map((segment) => {
      const name = segment.replace(/\?$/, '');
      const one = name.startsWith(':') ? '[^/]+' : literally(name);
      return segment.endsWith('?') ? `(?:/${one})?` : `/${one}`;
    })
    .join('');
  return new RegExp(`^${source}/?$`, 'i');
}

const literally = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
