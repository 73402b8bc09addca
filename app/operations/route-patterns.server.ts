import type { ServerBuild } from '@remix-run/node';

/** The pattern of paths without a route. */
const NO_ROUTE = '*';
const MANIFEST = '/__manifest';
/** Kinds of segments, in Remix's order of preference. */
const STATIC = '0';
const REQUIRED = '1';
const OPTIONAL = '2';
const SPLAT = '3';

/**
 * Returns a function that finds the pattern of the route that answers a path, such as
 * `/settings/sessions/:sessionId/name`. The set of patterns is bounded, whatever paths clients request.
 *
 * @param others patterns of requests that are answered before Remix.
 */
export function createRouteMatcher(
  build: Pick<ServerBuild, 'routes'>,
  others: readonly string[] = [],
): (path: string) => string {
  const buildPatterns = Object.keys(build.routes).map((id) => patternOf(build, id));
  const patterns = [...new Set([...buildPatterns, ...others])]
    .filter((pattern) => !pattern.includes('*'))
    .sort((one, other) => (rankOf(one) < rankOf(other) ? -1 : 1))
    .map((pattern) => ({ pattern, matches: matcherOf(pattern) }));
  return (path) => {
    if (path === MANIFEST) return MANIFEST;
    // Scripts load the data of a page from its path with ".data".
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
      const matcher = name.startsWith(':') ? '[^/]+' : escapeRegExp(name);
      return segment.endsWith('?') ? `(?:/${matcher})?` : `/${matcher}`;
    })
    .join('');
  return new RegExp(`^${source}/?$`, 'i');
}

const escapeRegExp = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
