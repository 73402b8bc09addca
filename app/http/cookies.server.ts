import { parseCookie } from 'cookie';

/**
 * Returns the cookie of this name in a `Cookie` header; `null` if there is none, or more than one: an
 * attacker may have planted the second, and nothing tells them apart.
 */
export function readSingleCookie(header: string | null | undefined, name: string): string | null {
  if (!header) return null;
  const count = header.split(';').filter((pair) => pair.split('=')[0]?.trim() === name).length;
  return count === 1 ? (parseCookie(header)[name] ?? null) : null;
}

/** Returns the attributes of every cookie that only the server reads. */
export function cookieAttributes(origin: string) {
  const secure = origin.startsWith('https:');
  return { httpOnly: true, secure, sameSite: 'lax', path: '/' } as const;
}

/**
 * Returns the full name of a cookie: with `__Host-` over HTTPS, so that no subdomain and no plain-text
 * page can plant it (RFC 6265bis §4.1.3.2). On http://localhost browsers refuse the prefix.
 */
export function hostCookieName(name: string, origin: string): string {
  return origin.startsWith('https:') ? `__Host-${name}` : name;
}
