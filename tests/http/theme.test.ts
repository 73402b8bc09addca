import { expect, test } from 'vitest';
import { readTheme, writeTheme, type Theme } from '#app/http/theme.server.ts';
import { cookiesWrittenBy, createTestVisit } from '../fixtures/visit.ts';

const HTTP = 'http://localhost:3000';
const HTTPS = 'https://latchkey.example';
const write = (theme: Theme, origin: string) =>
  cookiesWrittenBy((visit) => writeTheme(visit, theme, origin))[0]!;
const read = (cookieHeader: string | null) => readTheme(createTestVisit({ cookieHeader }));

test.each(['light', 'dark'] as const)('the theme %s is kept for a year', (theme) => {
  const line = write(theme, HTTP);
  expect(line).toBe(`theme=${theme}; Max-Age=31536000; Path=/; HttpOnly; SameSite=Lax`);
  expect(read(line.split(';')[0]!)).toBe(theme);
});

test('the theme of the system needs no cookie', () => {
  expect(write('system', HTTP)).toMatch(/^theme=; Max-Age=0; Path=\//);
});

test('over HTTPS the theme cookie is Secure', () => {
  expect(write('dark', HTTPS)).toContain('; Secure');
  expect(write('system', HTTPS)).toContain('; Secure');
});

test.each([
  null,
  '',
  'theme=',
  'theme=blue',
  'theme=DARK',
  'theme="dark" onload=x',
  'theme=%',
  'theme=dark%0d%0a',
  'theme=<script>',
  'Theme=dark',
  'a=theme=dark',
  `theme=${'d'.repeat(4000)}`,
])('the header %j leads to the theme of the system', (header) => {
  expect(read(header)).toBe('system');
});
