import { expect, test } from 'vitest';
import { readTheme, writeTheme } from '#app/http/theme.server.ts';

const HTTP = 'http://localhost:3000';
const HTTPS = 'https://latchkey.example';

test.each(['light', 'dark'] as const)('the theme %s is stored for a year', (theme) => {
  const line = writeTheme(theme, HTTP);
  expect(line).toBe(`theme=${theme}; Max-Age=31536000; Path=/; HttpOnly; SameSite=Lax`);
  expect(readTheme(line.split(';')[0]!)).toBe(theme);
});

test('the theme of the system needs no cookie', () => {
  expect(writeTheme('system', HTTP)).toMatch(/^theme=; Max-Age=0; Path=\//);
});

test('the theme cookie is Secure over https', () => {
  expect(writeTheme('dark', HTTPS)).toContain('; Secure');
  expect(writeTheme('system', HTTPS)).toContain('; Secure');
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
])('the cookie header %j means the theme of the system', (header) => {
  expect(readTheme(header)).toBe('system');
});
