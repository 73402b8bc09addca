import { stringifySetCookie } from 'cookie';
import { readSingleCookie } from './cookies.server.ts';

/** The cookie that carries the session's token. */
export interface SessionCookie {
  readonly name: string;
  /** The token of a `Cookie` header; null when there is none, or more than one. */
  read(header: string | null | undefined): string | null;
  /** A `Set-Cookie` value. `maxAgeSeconds` null: until the browser closes. */
  write(token: string, maxAgeSeconds: number | null): string;
  /** A `Set-Cookie` value that takes the cookie away. */
  clear(): string;
}

/**
 * `__Host-session` over HTTPS, so that no subdomain and no plain-text page can plant one
 * (RFC 6265bis §4.1.3.2); `session` on http://localhost, where the prefix is not to be had.
 */
export function createSessionCookie(origin: string): SessionCookie {
  const secure = origin.startsWith('https:');
  const name = secure ? '__Host-session' : 'session';
  const attributes = { httpOnly: true, secure, sameSite: 'lax', path: '/' } as const;

  return {
    name,
    read: (header) => readSingleCookie(header, name),
    write(token, maxAgeSeconds) {
      return stringifySetCookie({
        name,
        value: token,
        ...attributes,
        ...(maxAgeSeconds === null ? {} : { maxAge: maxAgeSeconds }),
      });
    },
    clear() {
      return stringifySetCookie({ name, value: '', ...attributes, maxAge: 0 });
    },
  };
}
