import { stringifySetCookie } from 'cookie';
import * as z from 'zod';

/** What a page makes up to recognise the answer to its own form. */
export const markSchema = z.string().regex(/^[a-z0-9-]{8,36}$/);

/** Long enough for the page to see it. */
const MAX_AGE_SECONDS = 60;

/**
 * A `Set-Cookie` value that tells the page that its file has begun to arrive: of a form that is
 * answered with a file, a page hears nothing else. The page's script reads it, and it says nothing.
 */
export function writeDownloadMark(mark: string, origin: string): string {
  return stringifySetCookie({
    name: 'download', value: mark, path: '/', sameSite: 'lax',
    secure: origin.startsWith('https:'),
    maxAge: MAX_AGE_SECONDS,
  });
}
