import { parseCookie, stringifySetCookie } from 'cookie';
import * as z from 'zod';

export const themeSchema = z.enum(['system', 'light', 'dark']);
export type Theme = z.infer<typeof themeSchema>;

const NAME = 'theme';
const YEAR_SECONDS = 31_536_000;

/** The theme the person chose in this browser; "system" when none. */
export function readTheme(header: string | null): Theme {
  const result = themeSchema.safeParse(parseCookie(header ?? '')[NAME]);
  return result.success ? result.data : 'system';
}

/** A `Set-Cookie` value that keeps the theme for a year; "system" takes the cookie away. */
export function writeTheme(theme: Theme, origin: string): string {
  return stringifySetCookie({
    name: NAME,
    value: theme === 'system' ? '' : theme,
    path: '/',
    sameSite: 'lax',
    httpOnly: true,
    secure: origin.startsWith('https:'),
    maxAge: theme === 'system' ? 0 : YEAR_SECONDS,
  });
}
