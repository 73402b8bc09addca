import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ServerBuild } from '@remix-run/node';
import { PASSWORD } from '../fixtures/users.ts';

/** A route of the build, as Remix serves it. */
export interface BuiltRoute {
  id: string;
  /** The path, with `:params` and `*`. */
  pattern: string;
  hasLoader: boolean;
  hasAction: boolean;
}

/** Returns every route of the build. */
export async function everyRoute(): Promise<BuiltRoute[]> {
  const file = pathToFileURL(join(process.cwd(), 'build/server/index.js'));
  const { routes } = (await import(file.href)) as ServerBuild;
  const patternOf = (id: string): string => {
    const route = routes[id]!;
    const parent = route.parentId === undefined ? '' : patternOf(route.parentId);
    return route.path ? `${parent}/${route.path}` : parent;
  };
  return Object.values(routes).map((route) => ({
    id: route.id,
    pattern: patternOf(route.id) || '/',
    hasLoader: route.module.loader !== undefined,
    hasAction: route.module.action !== undefined,
  }));
}

/** The id of a passkey that exists only if a test adds it: twelve bytes in base64url. */
export const PASSKEY_ID = 'kitchens-own-key';

/** The digest of a picture that exists only if a test adds it: SHA-256 in base64url. */
export const PICTURE_DIGEST = 'p'.repeat(43);

/**
 * Returns the path of a route, with `sessionId` for `:sessionId`, `:activityId` and `:tokenId`, and
 * with fixed values for the other parameters.
 *
 * @throws if the route has a parameter without a value here.
 */
export function pathOf({ pattern }: BuiltRoute, sessionId: string): string {
  const path = pattern
    .replace(/:(session|activity)Id/, sessionId)
    .replace(':tokenId', sessionId)
    .replace(':passkeyId', PASSKEY_ID)
    .replace(':provider', 'acme')
    .replace(':digest/:size', `${PICTURE_DIGEST}/64`)
    .replace(':connectionId', 'c'.repeat(25))
    .replace(':sessionId', sessionId)
    .replace(':mailId', '00000000000000-000001-000000000000')
    .replace(':receiptId', 'a-receipt-of-nothing')
    .replace('/:format?', '')
    .replace('*', 'nothing/here');
  if (/[:*]/.test(path))
    throw new Error(`Add a value for the parameter in ${pattern} to pathOf().`);
  return path;
}

/** Returns the path from which scripts fetch the data of the page at `path`. */
export function dataPathOf(path: string): string {
  return path === '/' ? '/_root.data' : `${path}.data`;
}

/** WebAuthn responses of the right shape, without valid content. */
const envelope = { id: PASSKEY_ID, rawId: PASSKEY_ID, type: 'public-key' };
const ASSERTION = JSON.stringify({
  ...envelope,
  response: { clientDataJSON: 'e30', authenticatorData: 'AA', signature: 'AA', userHandle: 'AA' },
});
const NEW_PASSKEY = JSON.stringify({
  ...envelope,
  response: { clientDataJSON: 'e30', attestationObject: 'oA' },
});

/**
 * Returns the fields of a valid form for every route with an action, by route id. A new route with an
 * action must be added here: the tests that submit every form compare the list with the build.
 */
export function goodFields({ email }: { email: string }): Record<string, Record<string, string>> {
  return {
    'routes/login/page': { email, password: PASSWORD },
    'routes/login/passkey': { credential: ASSERTION },
    'routes/login/passkey-options': {},
    'routes/confirm/passkey': { credential: ASSERTION },
    'routes/confirm/passkey-options': {},
    'routes/settings/passkeys/new': { credential: NEW_PASSKEY },
    'routes/settings/passkeys/options': {},
    'routes/settings/passkeys/name': { name: 'Kitchen key' },
    'routes/settings/passkeys/remove': {},
    'routes/signup/page': { name: 'Grace', email: `new-${email}`, password: PASSWORD },
    'routes/signup/verify': { code: '12345678' },
    'routes/signup/verify-again': {},
    'routes/forgot-password': { email },
    'routes/reset-password/page': { code: '12345678' },
    'routes/reset-password/again': {},
    'routes/reset-password/new': { newPassword: 'another password' },
    'routes/email-change-undo': { key: 'abcd.efgh' },
    'routes/confirm/page': { password: PASSWORD, redirectTo: '/settings/sessions' },
    'routes/settings/email/page': { newEmail: `newer-${email}` },
    'routes/settings/email/verify': { code: '12345678' },
    'routes/settings/email/verify-again': {},
    'routes/login/code': { code: '123456' },
    'routes/login/recovery-code': { recoveryCode: 'abcd-efgh-jkmn' },
    'routes/settings/two-factor/set-up': { code: '123456', signOutOthers: 'on' },
    'routes/settings/two-factor/new-codes': {},
    'routes/settings/two-factor/turn-off': {},
    'routes/logout': {},
    'routes/session-stay': {},
    'routes/theme': { theme: 'dark', redirectTo: '/' },
    'routes/settings/profile/page': { name: 'Augusta Ada King' },
    // Not a file, so this form is refused. profile-picture.test.ts uploads real files.
    'routes/settings/profile/picture': { picture: 'none' },
    'routes/settings/profile/picture-remove': {},
    'routes/settings/password': {
      newPassword: 'another password',
      signOutOthers: 'on',
    },
    'routes/settings/data/download': {},
    'routes/settings/data/delete': { email },
    'routes/settings/activity/not-me': {},
    'routes/not-me': { key: `${'A'.repeat(16)}.${'A'.repeat(43)}` },
    'routes/settings/sessions/name': { label: 'Kitchen iPad' },
    'routes/settings/sessions/sign-out': {},
    'routes/settings/sessions/sign-out-others': {},
    'routes/settings/tokens/new': { name: 'Backup script', days: '30', download: 'on' },
    'routes/settings/tokens/revoke': {},
    'routes/signup/connection': { name: 'Grace', email: `new-${email}` },
    'routes/login/provider': {},
    'routes/confirm/provider': {},
    'routes/settings/connections/add': {},
    'routes/settings/connections/disconnect': {},
    // Has an action only to answer with an error.
    'routes/not-found': {},
  };
}
