import { stringifySetCookie } from 'cookie';
import { SECOND_MS } from '#app/sessions/time.ts';
import type { Visit } from '#app/visit/visit.ts';
import { cookieAttributes, hostCookieName, readSingleCookie } from './cookies.server.ts';

/** The cookie that carries the session's token. */
export interface SessionCookie {
  readonly name: string;
  /** Returns the token in a `Cookie` header; `null` if there is none, or more than one. */
  read(header: string | null | undefined): string | null;
  /** Gives the browser a token, also with an error response: the one before may be dead. */
  write(visit: Pick<Visit, 'jar'>, token: string, options: { remember: boolean }): void;
  /** Removes the cookie, and the browser's copies of private pages. */
  remove(visit: Pick<Visit, 'jar'>): void;
}

/**
 * `__Host-session` over HTTPS, `session` on http://localhost.
 *
 * @param options.rememberedLifetimeMs how long a browser keeps a remembered session; another ends with
 *   the browser.
 */
export function createSessionCookie(
  origin: string,
  { rememberedLifetimeMs }: { rememberedLifetimeMs: number },
): SessionCookie {
  const name = hostCookieName('session', origin);
  const attributes = cookieAttributes(origin);
  const maxAge = rememberedLifetimeMs / SECOND_MS;
  return {
    name,
    read: (header) => readSingleCookie(header, name),
    write({ jar }, token, { remember }) {
      const lasting = remember ? { maxAge } : {};
      jar.set(stringifySetCookie({ name, value: token, ...attributes, ...lasting }), 'any');
    },
    remove({ jar }) {
      jar.set(stringifySetCookie({ name, value: '', ...attributes, maxAge: 0 }), 'any');
      jar.clearCache();
    },
  };
}
