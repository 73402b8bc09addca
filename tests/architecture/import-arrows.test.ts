import { ESLint } from 'eslint';
import { expect, test } from 'vitest';
import importArrows from '../../eslint.import-arrows.js';
import tseslint from 'typescript-eslint';

// The arrows alone, without type information: what an import says is all they look at.
const eslint = new ESLint({
  overrideConfigFile: true,
  overrideConfig: [
    { files: ['**/*.{ts,tsx}'], languageOptions: { parser: tseslint.parser } },
    ...importArrows,
  ],
});

async function complaintsAbout(filePath: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath });
  return result?.messages.map(({ message }) => message) ?? [];
}

const forbidden: [file: string, source: string][] = [
  ['app/sessions/sessions.ts', '#app/db.server.ts'],
  ['app/sessions/sessions.ts', '#app/http/guards.server.ts'],
  ['app/sessions/sessions.ts', '#app/sessions/token.ts'],
  ['app/sessions/sessions.ts', '../http/guards.server.ts'],
  ['app/sessions/sessions.ts', '@prisma/client'],
  ['app/sessions/sessions.ts', 'pg'],
  ['app/sessions/sessions.ts', 'express-session'],
  ['app/sessions/sessions.ts', 'express'],
  ['app/sessions/sessions.ts', '@remix-run/node'],
  ['app/sessions/sessions.ts', 'react'],
  ['app/sessions/stores/prisma.ts', '#app/db.server.ts'],
  ['app/sessions/stores/prisma.ts', '../../db.server.ts'],
  ['app/sessions/stores/prisma.ts', 'express-session'],
  ['app/sessions/express/store.ts', 'redis'],
  ['app/credentials/password/passwords.server.ts', '#app/account/profile.server.ts'],
  ['app/credentials/password/passwords.server.ts', '#app/http/guards.server.ts'],
  ['app/credentials/password/passwords.server.ts', '#app/ui/button.tsx'],
  ['app/credentials/password/passwords.server.ts', '#app/credentials/password-schema.ts'],
  ['app/credentials/password/passwords.server.ts', '../account/profile.server.ts'],
  ['app/credentials/password/passwords.server.ts', 'better-sqlite3'],
  ['app/privacy/erasure.server.ts', '#app/credentials/password.server.ts'],
  ['app/privacy/erasure.server.ts', '#app/context.server.ts'],
  ['app/privacy/erasure.server.ts', '#app/routes/login.tsx'],
  ['app/privacy/erasure.server.ts', '../../prisma/sqlite/client/client.ts'],
  ['app/mail/mailer.server.ts', '#app/http/guards.server.ts'],
  ['app/http/signed-in.server.ts', '#app/account/profile.server.ts'],
  ['app/http/signed-in.server.ts', '#app/credentials/password.server.ts'],
  ['app/http/signed-in.server.ts', '#app/ui/button.tsx'],
  ['app/http/signed-in.server.ts', '#app/mail/mailer.server.ts'],
  ['app/http/signed-in.server.ts', '#app/http/form.server.ts'],
  ['app/http/signed-in.server.ts', '@prisma/client'],
  ['app/http/signed-in.server.ts', 'express-session'],
  ['app/routes/login.tsx', '#app/routes/signup.tsx'],
  ['app/routes/login.tsx', './signup.tsx'],
  ['app/routes/login.tsx', '../ui/button.tsx'],
  ['app/routes/login.tsx', '@prisma/client'],
  ['app/routes/settings.sessions/route.tsx', '../settings.data/route.tsx'],
  ['app/routes/settings.sessions/route.tsx', '#app/routes/login.tsx'],
  ['app/routes/settings/sessions/route.tsx', '../data/route.tsx'],
  ['app/routes/settings/route.tsx', './sessions/route.tsx'],
  ['app/ui/button.tsx', '#app/sessions/session.ts'],
  ['app/ui/button.tsx', '#app/http/form.server.ts'],
  ['app/ui/button.tsx', '#app/env.server.ts'],
  ['app/ui/button.tsx', '#app/ui/icon.tsx'],
  ['app/ui/button.tsx', '../http/form.server.ts'],
  ['app/ui/button.tsx', 'node:fs'],
  ['app/ui/menu/menu.tsx', '../../sessions/session.ts'],
  ['app/context.server.ts', './sessions/sessions.ts'],
  ['app/context.server.ts', '#app/routes/login.tsx'],
  ['app/context.server.ts', '../prisma/sqlite/client/client.ts'],
  ['app/context.server.ts', '../server.ts'],
  ['app/context.server.ts', 'express-session'],
];

test.each(forbidden)('%s may not import %s', async (file, source) => {
  expect(await complaintsAbout(file, `import '${source}';`), 'import').not.toEqual([]);
  expect(await complaintsAbout(file, `export * from '${source}';`), 'export').not.toEqual([]);
  expect(await complaintsAbout(file, `await import('${source}');`), 'import()').not.toEqual([]);
});

const allowed: [file: string, source: string][] = [
  ['app/sessions/sessions.ts', './token.ts'],
  ['app/sessions/sessions.ts', './stores/memory.ts'],
  ['app/sessions/sessions.ts', 'node:crypto'],
  ['app/sessions/stores/prisma.ts', '../session.ts'],
  ['app/sessions/stores/prisma.ts', '@prisma/client'],
  ['app/sessions/stores/redis.ts', 'redis'],
  ['app/sessions/express/store.ts', 'express-session'],
  ['app/sessions/express/store.ts', '../sessions.ts'],
  ['app/credentials/password/passwords.server.ts', './password-schema.ts'],
  ['app/credentials/password/passwords.server.ts', '#app/sessions/index.ts'],
  ['app/credentials/password/passwords.server.ts', '#app/db.server.ts'],
  ['app/database/sign-up.server.ts', '#app/database-errors.server.ts'],
  ['app/mail/mailer.server.ts', '#app/sessions/session.ts'],
  ['app/http/signed-in.server.ts', '#app/sessions/index.ts'],
  ['app/http/signed-in.server.ts', '#app/context.server.ts'],
  ['app/http/signed-in.server.ts', './session-cookie.server.ts'],
  ['app/http/signed-in.server.ts', 'express'],
  ['app/routes/login.tsx', '#app/http/guards.server.ts'],
  ['app/routes/login.tsx', '#app/ui/button.tsx'],
  ['app/routes/login.tsx', '#app/context.server.ts'],
  ['app/routes/settings.sessions/route.tsx', './session-row.tsx'],
  ['app/routes/settings/sessions/route.tsx', './session-row.tsx'],
  ['app/ui/button.tsx', './icon.tsx'],
  ['app/ui/button.tsx', 'react'],
  ['app/ui/button.tsx', 'lucide-react'],
  ['app/ui/menu/menu.tsx', '../button.tsx'],
  ['app/root.tsx', '#app/ui/button.tsx'],
  ['app/root.tsx', './tailwind.css?url'],
  ['app/context.server.ts', './db.server.ts'],
  ['app/database/database.server.ts', '../prisma/sqlite/client/client.ts'],
  ['app/database/database.server.ts', '@prisma/adapter-pg'],
  ['app/database/migrations.server.ts', 'better-sqlite3'],
  ['app/database/connections.server.ts', 'pg'],
  ['server.ts', './app/database/database.server.ts'],
  ['commands/seed.ts', '#app/sessions/index.ts'],
  ['tests/sessions/sessions.test.ts', '#app/sessions/token.ts'],
];

test.each(allowed)('%s may import %s', async (file, source) => {
  expect(await complaintsAbout(file, `import '${source}';`)).toEqual([]);
  expect(await complaintsAbout(file, `await import('${source}');`)).toEqual([]);
});

const typeOnly: [file: string, source: string][] = [
  ['app/privacy/erasure.server.ts', '#app/credentials/password.server.ts'],
  ['app/privacy/erasure.server.ts', '#app/context.server.ts'],
  ['app/http/signed-in.server.ts', '#app/credentials/password.server.ts'],
];

test.each(typeOnly)('%s may import %s for its types', async (file, source) => {
  const asType = `import type { Something } from '${source}'; export type Other = Something;`;
  expect(await complaintsAbout(file, asType)).toEqual([]);
  expect(await complaintsAbout(file, `import '${source}';`)).toHaveLength(1);
});

test('a room is not left through the type of an import either', async () => {
  const code = `export type Row = import('../http/form.server.ts').Row;`;
  expect(await complaintsAbout('app/ui/button.tsx', code)).toHaveLength(1);
});
