import { parseCookie } from 'cookie';

/**
 * The cookie of this name in a `Cookie` header; null when there is none, or more than one: two mean
 * that somebody planted one, and which is whose cannot be told.
 */
export function readSingleCookie(header: string | null | undefined, name: string): string | null {
  if (!header) return null;
  const count = header.split(';').filter((pair) => pair.split('=')[0]?.trim() === name).length;
  return count === 1 ? (parseCookie(header)[name] ?? null) : null;
}
