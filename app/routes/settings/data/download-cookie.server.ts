import { stringifySetCookie } from 'cookie';
import * as z from 'zod';
import type { Visit } from '#app/visit/visit.ts';

/** A random value by which a page recognises the response to its own form. */
export const markSchema = z.string().regex(/^[a-z0-9-]{8,36}$/);

/** Long enough for the page's script to see it. */
const MAX_AGE_SECONDS = 60;

/**
 * Tells the page that its file has begun to arrive. A script cannot see the response to a form that is
 * answered with a file, so it watches for this cookie, which holds nothing but the mark.
 */
export function writeDownloadMark({ jar }: Pick<Visit, 'jar'>, mark: string, origin: string): void {
  jar.set(
    stringifySetCookie({
      name: 'download',
      value: mark,
      path: '/',
      sameSite: 'lax',
      secure: origin.startsWith('https:'),
      maxAge: MAX_AGE_SECONDS,
    }),
  );
}
