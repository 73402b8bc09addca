const ELSEWHERE = 'https://elsewhere.invalid';
/** Where nobody wants to be sent after signing in: actions, and the doors themselves. */
const NOT_A_DESTINATION = /^\/(login|logout|signup|theme|confirm|not-me)(\/|\?|#|$)/;
const MAX_CHARACTERS = 1024;

/**
 * A path of this application; null for anything that could lead elsewhere (OWASP: unvalidated
 * redirects) or into another header line.
 */
export function localPath(wanted: unknown): string | null {
  if (typeof wanted !== 'string' || wanted.length > MAX_CHARACTERS) return null;
  // Browsers drop control characters and read "\" as "/": "/\evil.example" leads elsewhere.
  // eslint-disable-next-line no-control-regex
  if (!/^\/(?!\/)/.test(wanted) || /[\\\u0000-\u001f\u007f]/.test(wanted)) return null;
  if (!URL.canParse(wanted, ELSEWHERE)) return null;
  const url = new URL(wanted, ELSEWHERE);
  const path = `${url.pathname}${url.search}${url.hash}`;
  // "/.//" leaves two slashes in front.
  return url.origin === ELSEWHERE && !path.startsWith('//') ? path : null;
}

/** Where to send a person after signing in: an own path that is a page, else `fallback`. */
export function safeReturnPath(wanted: unknown, fallback = '/'): string {
  const path = localPath(wanted);
  return path === null || NOT_A_DESTINATION.test(path) ? fallback : path;
}

/** `/login`, with the way back to the page the person was on. */
export function loginPath(request: Request, origin: string): string {
  const redirectTo = safeReturnPath(pagePath(request, origin));
  return redirectTo === '/' ? '/login' : `/login?${new URLSearchParams({ redirectTo })}`;
}

/** The page that a request belongs to. A form's address is none to return to; the page that it stood on is. */
export function pagePath(request: Request, origin: string): string | null {
  if (request.method === 'GET' || request.method === 'HEAD') {
    const { pathname, search } = new URL(request.url);
    return pathname + search;
  }
  const referrer = request.headers.get('referer');
  if (!referrer || !URL.canParse(referrer)) return null;
  const url = new URL(referrer);
  return url.origin === origin ? url.pathname + url.search : null;
}
