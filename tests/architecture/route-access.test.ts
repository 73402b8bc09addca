import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { RouteUrl } from '#app/http/route-access.ts';
import { urls } from '#app/routes.ts';
import { inProject } from '../../scripts/set-up/project.js';

interface Row {
  path: string;
  file: string;
  level: string;
  reason: string | null;
}

function rowsOf(table: RouteUrl[], parent = ''): Row[] {
  return table.flatMap(({ path, file, access, children }) => {
    const full = path === '' ? parent : `${parent}/${path}`;
    const reason = access.level === 'open' ? access.reason : null;
    const row = { path: full || '/', file, level: access.level, reason };
    return [row, ...rowsOf(children, full)];
  });
}

const rows = rowsOf(urls);
const pathsAt = (level: string) =>
  rows.filter((row) => row.level === level).map(({ path }) => path);

test('every open URL gives a reason of three words or more', () => {
  const open = rows.filter(({ level }) => level === 'open');
  const withoutReason = open.filter(({ reason }) => (reason ?? '').split(' ').length < 3);
  expect(open.length).toBeGreaterThan(0);
  expect(withoutReason).toEqual([]);
});

test('the table of URLs and app/routes name the same files', () => {
  const inFolder = readdirSync(inProject('app/routes'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.replace(/^.*\/app\/routes\//, ''));
  const inTable = rows.map(({ file }) => file);
  expect(inTable.filter((file) => !inFolder.includes(file))).toEqual([]);
  expect(new Set(inTable).size).toBe(inTable.length);
});

// A change of who may open a URL changes these lists too, so that a review notices it.
test('these URLs are open to everyone', () => {
  expect(pathsAt('open')).toMatchInlineSnapshot(`
    [
      "/",
      "/privacy",
      "/developers",
      "/theme",
      "/login",
      "/login/code",
      "/login/recovery-code",
      "/login/passkey",
      "/login/passkey/options",
      "/login/provider/:provider",
      "/login/provider/:provider/callback",
      "/logout",
      "/signup",
      "/signup/verify",
      "/signup/verify/again",
      "/signup/connection",
      "/forgot-password",
      "/reset-password",
      "/reset-password/again",
      "/reset-password/new",
      "/email-change/undo",
      "/not-me",
      "/erased/:receiptId",
      "/outbox",
      "/outbox/:mailId",
      "/outbox/:mailId/html",
      "/*",
    ]
  `);
});

test('these URLs require a session', () => {
  expect(pathsAt('signed-in')).toMatchInlineSnapshot(`
    [
      "/session/stay",
      "/confirm",
      "/confirm/passkey",
      "/confirm/passkey/options",
      "/confirm/provider/:provider",
      "/picture/:digest/:size",
      "/settings",
      "/settings",
      "/settings/profile",
      "/settings/profile/picture",
      "/settings/profile/picture/remove",
      "/settings/email/verify/again",
      "/settings/security",
      "/settings/two-factor",
      "/settings/passkeys",
      "/settings/passkeys/:passkeyId/name",
      "/settings/connections",
      "/settings/sessions",
      "/settings/sessions/:sessionId/name",
      "/settings/sessions/:sessionId/sign-out",
      "/settings/tokens",
      "/settings/activity",
      "/settings/activity/:activityId/not-me",
      "/settings/data",
    ]
  `);
});

test('these URLs require a recent authentication', () => {
  expect(pathsAt('fresh')).toMatchInlineSnapshot(`
    [
      "/settings/email",
      "/settings/password",
      "/settings/two-factor/new-codes",
      "/settings/two-factor/turn-off",
      "/settings/two-factor/set-up",
      "/settings/two-factor/recovery-codes",
      "/settings/passkeys/new",
      "/settings/passkeys/:passkeyId/remove",
      "/settings/connections/:connectionId/disconnect",
      "/settings/tokens/new",
      "/settings/tokens/made",
      "/settings/data/delete",
    ]
  `);
});

test('these URLs require a recent authentication to submit their form', () => {
  expect(pathsAt('fresh-form')).toMatchInlineSnapshot(`
    [
      "/settings/email/verify",
      "/settings/passkeys/options",
      "/settings/connections/add/:provider",
      "/settings/sessions/others/sign-out",
      "/settings/tokens/:tokenId/revoke",
      "/settings/data/download/:format?",
    ]
  `);
});
