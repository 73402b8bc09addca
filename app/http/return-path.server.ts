const ELSEWHERE = 'https://elsewhere.invalid';
/** Actions and sign-in pages: not a destination after a sign-in. */
const NOT_A_DESTINATION = /^\/(login|logout|signup|theme|confirm|not-me)(\/|\?|#|$)/;
const MAX_CHARACTERS = 1024;

/**
 * Returns a path of this application; `null` for anything that could lead elsewhere (OWASP: unvalidated
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

/** Returns where to send a user after a sign-in: the path if it is one of our pages, else `fallback`. */
export function safeReturnPath(wanted: unknown, fallback = '/'): string {
  const path = localPath(wanted);
  return path === null || NOT_A_DESTINATION.test(path) ? fallback : path;
}

/** Returns `/login` with the page that the user was on as its `redirectTo`. */
export function loginPath(request: Request, origin: string): string {
  const redirectTo = safeReturnPath(pagePath(request, origin));
  return redirectTo === '/' ? '/login' : `/login?${new URLSearchParams({ redirectTo })}`;
}

/** Returns the page of a request: for a form, the page that contained it. */
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

/** True if the browser asks for a page to show; false if a script does. */
export function isDocumentRequest(request: Request): boolean {
  return request.headers.get('accept')?.includes('text/html') ?? false;
}
