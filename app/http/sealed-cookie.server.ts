import { stringifySetCookie } from 'cookie';
import type { z } from 'zod';
import type { Keyring } from '#app/config/keyring.server.ts';
import { SECOND_MS } from '#app/sessions/time.ts';
import type { SentWith } from '#app/visit/cookie-jar.ts';
import type { Visit } from '#app/visit/visit.ts';
import { cookieAttributes, hostCookieName, readSingleCookie } from './cookies.server.ts';

interface SealedCookieOptions<Value> {
  /** Also the purpose of the seal: a value that was sealed for another cookie does not open. */
  name: string;
  schema: z.ZodType<Value>;
  maxAgeSeconds: number;
}

/** An encrypted cookie, for values that last minutes and need no row. */
export interface SealedCookie<Value> {
  /** Returns the value; `null` if there is none, it expired, it is forged, or there are two. */
  read(visit: Pick<Visit, 'cookieHeader' | 'now'>): Value | null;
  write(visit: Pick<Visit, 'jar' | 'now'>, value: Value): void;
  remove(visit: Pick<Visit, 'jar'>, sentWith?: SentWith): void;
}

/** Makes the sealed cookies of one application: `HttpOnly`, `SameSite=Lax`, `__Host-` over HTTPS. */
export function sealedCookies(keyring: Keyring, origin: string) {
  const attributes = cookieAttributes(origin);

  return function sealedCookie<Value>(options: SealedCookieOptions<Value>): SealedCookie<Value> {
    const { schema, maxAgeSeconds } = options;
    const name = hostCookieName(options.name, origin);
    const purpose = `cookie ${options.name}`;
    return {
      read({ cookieHeader, now }) {
        const sealed = readSingleCookie(cookieHeader, name);
        const text = sealed === null ? null : keyring.open(purpose, sealed);
        if (text === null) return null;
        const { until, value } = JSON.parse(text) as { until: number; value: unknown };
        if (!(now.getTime() < until)) return null;
        // An earlier version of the application may have written another shape.
        const parsed = schema.safeParse(value);
        return parsed.success ? parsed.data : null;
      },
      write({ jar, now }, value) {
        const until = now.getTime() + maxAgeSeconds * SECOND_MS;
        const sealed = keyring.seal(purpose, JSON.stringify({ until, value }));
        jar.set(stringifySetCookie({ name, value: sealed, ...attributes, maxAge: maxAgeSeconds }));
      },
      remove({ jar }, sentWith) {
        jar.set(stringifySetCookie({ name, value: '', ...attributes, maxAge: 0 }), sentWith);
      },
    };
  };
}

export type SealedCookieFactory = ReturnType<typeof sealedCookies>;
