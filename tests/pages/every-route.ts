import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ServerBuild } from '@remix-run/node';
import { PASSWORD } from '../fixtures/people.ts';

/** A route of the build, as Remix serves it. */
export interface BuiltRoute {
  id: string;
  /** With `:params` and `*` as they are. */
  pattern: string;
  hasLoader: boolean;
  hasAction: boolean;
}

/** Every route that stands in the build, whoever wrote it and when. */
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

/** Of a passkey that is none, unless a test makes it one: twelve bytes in base64url. */
export const PASSKEY_ID = 'kitchens-own-key';

/** Of a picture that is none, unless a test makes it one: SHA-256 in base64url. */
export const PICTURE_DIGEST = 'p'.repeat(43);

/** The path of a route, with this id in place of `:sessionId` and `:activityId`. */
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
  if (/[:*]/.test(path)) throw new Error(`Say what stands for the parameter in ${pattern}.`);
  return path;
}

/** Where scripts ask for the same. */
export function dataPathOf(path: string): string {
  return path === '/' ? '/_root.data' : `${path}.data`;
}

/** What browsers answer, as far as its shape goes. */
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
 * What a person would send to each route that takes a form, by the route's id, so that it does what
 * it is there for. A route with an action that is missing here fails the tests that try them all.
 */
export function goodFields({ email }: { email: string }): Record<string, Record<string, string>> {
  return {
    'routes/login': { email, password: PASSWORD },
    'routes/login_.passkey': { credential: ASSERTION },
    'routes/login_.passkey_.options': {},
    'routes/confirm_.passkey': { credential: ASSERTION },
    'routes/confirm_.passkey_.options': {},
    'routes/settings.passkeys.new': { credential: NEW_PASSKEY },
    'routes/settings.passkeys_.options': {},
    'routes/settings.passkeys.$passkeyId.name': { name: 'Kitchen key' },
    'routes/settings.passkeys.$passkeyId.remove': {},
    'routes/signup': { name: 'Grace', email: `new-${email}`, password: PASSWORD },
    'routes/signup_.verify': { code: '12345678' },
    'routes/signup_.verify_.again': {},
    'routes/forgot-password': { email },
    'routes/reset-password': { code: '12345678' },
    'routes/reset-password_.again': {},
    'routes/reset-password_.new': { newPassword: 'another password' },
    'routes/email-change.undo': { key: 'abcd.efgh' },
    'routes/confirm': { password: PASSWORD, redirectTo: '/settings/sessions' },
    'routes/settings.email': { newEmail: `newer-${email}` },
    'routes/settings.email_.verify': { code: '12345678' },
    'routes/settings.email_.verify_.again': {},
    'routes/login_.code': { code: '123456' },
    'routes/login_.recovery-code': { recoveryCode: 'abcd-efgh-jkmn' },
    'routes/settings.two-factor_.set-up': { code: '123456', signOutOthers: 'on' },
    'routes/settings.two-factor.new-codes': {},
    'routes/settings.two-factor.turn-off': {},
    'routes/logout': {},
    'routes/session.stay': {},
    'routes/theme': { theme: 'dark', redirectTo: '/' },
    'routes/settings.profile': { name: 'Augusta Ada King' },
    // A file, which no form in one line has: those forms say what is wrong; see profile-picture.test.ts.
    'routes/settings.profile.picture': { picture: 'none' },
    'routes/settings.profile.picture_.remove': {},
    'routes/settings.password': {
      ...{ newPassword: 'another password', signOutOthers: 'on' },
    },
    'routes/settings.data_.download.($format)': {},
    'routes/settings.data_.delete': { email },
    'routes/settings.activity.$activityId.not-me': {},
    'routes/not-me': { key: `${'A'.repeat(16)}.${'A'.repeat(43)}` },
    'routes/settings.sessions.$sessionId.name': { label: 'Kitchen iPad' },
    'routes/settings.sessions.$sessionId.sign-out': {},
    'routes/settings.sessions.others.sign-out': {},
    'routes/settings.tokens_.new': { name: 'Backup script', days: '30', download: 'on' },
    'routes/settings.tokens.$tokenId.revoke': {},
    'routes/signup_.connection': { name: 'Grace', email: `new-${email}` },
    'routes/login_.provider.$provider': {},
    'routes/confirm_.provider.$provider': {},
    'routes/settings.connections.add.$provider': {},
    'routes/settings.connections.$connectionId.disconnect': {},
    // It takes no form, and says so.
    'routes/$': {},
  };
}
