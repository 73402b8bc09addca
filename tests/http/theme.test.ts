import { expect, test } from 'vitest';
import { readTheme, writeTheme } from '#app/http/theme.server.ts';

const HTTP = 'http://localhost:3000';
const HTTPS = 'https://latchkey.example';

test.each(['light', 'dark'] as const)('the theme %s is kept for a year', (theme) => {
  const line = writeTheme(theme, HTTP);
  expect(line).toBe(`theme=${theme}; Max-Age=31536000; Path=/; HttpOnly; SameSite=Lax`);
  expect(readTheme(line.split(';')[0]!)).toBe(theme);
});

test('what the system says needs no cookie', () => {
  expect(writeTheme('system', HTTP)).toMatch(/^theme=; Max-Age=0; Path=\//);
});

test('over https it is Secure', () => {
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
])('%j is what the system says', (header) => {
  expect(readTheme(header)).toBe('system');
});
