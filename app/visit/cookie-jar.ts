const SERVER_ERROR = 500;
/** Remix answers a script with this status in place of a redirect. */
const REDIRECT_FOR_SCRIPTS = 202;

/**
 * With which responses a cookie is sent: `success` with all but 5xx; `any` with 5xx too, because the
 * token that the browser holds is dead already; `page` only with a response that shows a page, so that
 * a redirect does not take away a message that was never shown.
 */
export type SentWith = 'success' | 'any' | 'page';

/** Collects what one response does to the browser's cookies. It is written with the response's head. */
export interface CookieJar {
  /** Adds a `Set-Cookie` value. A later value for the same cookie replaces an earlier one. */
  set(cookie: string, sentWith?: SentWith): void;
  /** Has the browser drop its cached copies of our pages (`Clear-Site-Data`). */
  clearCache(): void;
  /** Returns the `Set-Cookie` values for a response of this status. */
  cookiesFor(status: number): string[];
  /** True if the response must carry `Clear-Site-Data: "cache"`. */
  clearsCache(): boolean;
}

export function createCookieJar(): CookieJar {
  const cookies = new Map<string, { cookie: string; sentWith: SentWith }>();
  let isCacheCleared = false;
  return {
    set(cookie, sentWith = 'success') {
      const name = cookie.slice(0, cookie.indexOf('='));
      cookies.delete(name);
      cookies.set(name, { cookie, sentWith });
    },
    clearCache() {
      isCacheCleared = true;
    },
    cookiesFor(status) {
      const isSent = (sentWith: SentWith) =>
        sentWith === 'any' || (sentWith === 'page' ? isPage(status) : status < SERVER_ERROR);
      return [...cookies.values()]
        .filter(({ sentWith }) => isSent(sentWith))
        .map(({ cookie }) => cookie);
    },
    clearsCache: () => isCacheCleared,
  };
}

function isPage(status: number): boolean {
  const isRedirect = (status >= 300 && status < 400) || status === REDIRECT_FOR_SCRIPTS;
  return !isRedirect && status < SERVER_ERROR;
}
