import { stringifySetCookie } from 'cookie';
import type { z } from 'zod';
import type { Keyring } from '#app/config/keyring.server.ts';
import { readSingleCookie } from './cookies.server.ts';

const SECOND_MS = 1000;

export interface SealedCookieOptions<Value> {
  /** Also the purpose under which it is sealed: a cookie of one name shown as another opens nothing. */
  name: string;
  schema: z.ZodType<Value>;
  maxAgeSeconds: number;
}

/** A cookie that the browser keeps and cannot read, for what lasts minutes and needs no row. */
export interface SealedCookie<Value> {
  /** What it holds; null when there is none, it ran out, it is not ours, or there are two. */
  read(header: string | null | undefined, now: Date): Value | null;
  /** A `Set-Cookie` value. */
  write(value: Value, now: Date): string;
  /** A `Set-Cookie` value that takes it away. */
  clear(): string;
}

/** Makes the cookies of one application: `__Host-` over HTTPS, `HttpOnly`, `SameSite=Lax`. */
export function sealedCookies(keyring: Keyring, origin: string) {
  const secure = origin.startsWith('https:');
  const attributes = { httpOnly: true, secure, sameSite: 'lax', path: '/' } as const;

  return function sealedCookie<Value>(options: SealedCookieOptions<Value>): SealedCookie<Value> {
    const { schema, maxAgeSeconds } = options;
    const name = secure ? `__Host-${options.name}` : options.name;
    const purpose = `cookie ${options.name}`;
    return {
      read(header, now) {
        const sealed = readSingleCookie(header, name);
        const text = sealed === null ? null : keyring.open(purpose, sealed);
        if (text === null) return null;
        const { until, value } = JSON.parse(text) as { until: number; value: unknown };
        if (!(now.getTime() < until)) return null;
        // One that an earlier version of the application wrote may be of another shape.
        const parsed = schema.safeParse(value);
        return parsed.success ? parsed.data : null;
      },
      write(value, now) {
        const until = now.getTime() + maxAgeSeconds * SECOND_MS;
        const sealed = keyring.seal(purpose, JSON.stringify({ until, value }));
        return stringifySetCookie({ name, value: sealed, ...attributes, maxAge: maxAgeSeconds });
      },
      clear: () => stringifySetCookie({ name, value: '', ...attributes, maxAge: 0 }),
    };
  };
}

export type SealedCookieFactory = ReturnType<typeof sealedCookies>;
