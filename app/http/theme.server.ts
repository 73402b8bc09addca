import { parseCookie, stringifySetCookie } from 'cookie';
import * as z from 'zod';
import type { Visit } from '#app/visit/visit.ts';
import { cookieAttributes } from './cookies.server.ts';

export const themeSchema = z.enum(['system', 'light', 'dark']);
export type Theme = z.infer<typeof themeSchema>;

const NAME = 'theme';
const YEAR_SECONDS = 31_536_000;

/** Returns the theme that was chosen in this browser; "system" if none was. */
export function readTheme({ cookieHeader }: Pick<Visit, 'cookieHeader'>): Theme {
  const result = themeSchema.safeParse(parseCookie(cookieHeader ?? '')[NAME]);
  return result.success ? result.data : 'system';
}

/** Keeps the theme for a year; "system" removes the cookie. */
export function writeTheme({ jar }: Pick<Visit, 'jar'>, theme: Theme, origin: string): void {
  const isDefault = theme === 'system';
  jar.set(
    stringifySetCookie({
      name: NAME,
      value: isDefault ? '' : theme,
      ...cookieAttributes(origin),
      maxAge: isDefault ? 0 : YEAR_SECONDS,
    }),
  );
}
