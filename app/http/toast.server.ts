import * as z from 'zod';
import type { Visit } from '#app/visit/visit.ts';
import type { SealedCookieFactory } from './sealed-cookie.server.ts';

/** Long enough for the redirect. A message that no page shows is dropped. */
const MAX_AGE_SECONDS = 60;

/** A message for the next page. Sealed, so that a planted cookie can make no page say anything. */
export interface Toast {
  /** Has the next page say this. */
  show(visit: Visit, text: string): void;
  /** Returns the message and removes it once a page shows it; `null` without one. */
  take(visit: Visit): string | null;
  /** Drops a message that no longer fits. */
  drop(visit: Visit): void;
}

export function createToast(sealedCookie: SealedCookieFactory): Toast {
  const cookie = sealedCookie({
    name: 'toast',
    schema: z.string(),
    maxAgeSeconds: MAX_AGE_SECONDS,
  });
  return {
    show: (visit, text) => cookie.write(visit, text),
    take(visit) {
      const text = cookie.read(visit);
      if (text !== null) cookie.remove(visit, 'page');
      return text;
    },
    drop: (visit) => cookie.remove(visit),
  };
}

/**
 * Returns a message followed by how many other devices were signed out.
 *
 * @param count `null` if the user did not ask for that: the message alone.
 */
export function withOthers(text: string, count: number | null): string {
  return count === null ? text : `${text} ${othersText(count)}`;
}

/** "2 other devices are signed out." */
export function othersText(count: number): string {
  if (count === 0) return 'No other device was signed in.';
  return count === 1 ? '1 other device is signed out.' : `${count} other devices are signed out.`;
}
