import { parseCookie, stringifySetCookie } from 'cookie';
import * as z from 'zod';

/**
 * A message for the next page. The cookie names one of these and carries a number or a name at
 * most: a planted cookie can make the page say nothing that it would not say by itself.
 */
const toastSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('signed-out') }),
  z.object({ kind: z.literal('session-ended'), device: z.string().max(80) }),
  z.object({ kind: z.literal('session-already-ended') }),
  z.object({
    kind: z.literal('others-ended'),
    count: z.int().min(0),
    tokens: z.int().min(0).nullish(),
  }),
  z.object({ kind: z.literal('token-revoked'), token: z.string().max(80) }),
  z.object({ kind: z.literal('device-named'), device: z.string().max(80) }),
  z.object({ kind: z.literal('device-unnamed') }),
  z.object({ kind: z.literal('profile-saved') }),
  z.object({ kind: z.enum(['picture-saved', 'picture-removed']) }),
  z.object({ kind: z.literal('password-changed'), count: z.int().min(0).nullable() }),
  z.object({ kind: z.literal('two-factor-on'), count: z.int().min(0).nullable() }),
  z.object({ kind: z.literal('two-factor-off'), count: z.int().min(0).nullable() }),
  z.object({ kind: z.literal('recovery-codes-new'), count: z.int().min(0).nullable() }),
  z.object({ kind: z.literal('recovery-code-used'), left: z.int().min(0) }),
  z.object({ kind: z.literal('sign-in-lapsed') }),
  z.object({
    kind: z.enum(['passkey-added', 'passkey-removed']),
    passkey: z.string().max(80),
    count: z.int().min(0).nullable(),
  }),
  z.object({ kind: z.literal('passkey-renamed'), passkey: z.string().max(80) }),
  z.object({
    kind: z.enum(['connection-added', 'connection-removed']),
    provider: z.string().max(80),
    count: z.int().min(0).nullable(),
  }),
  z.object({ kind: z.literal('connected-meanwhile'), provider: z.string().max(80) }),
  z.object({ kind: z.literal('connection-already-removed') }),
  z.object({ kind: z.literal('everything-ended') }),
  z.object({ kind: z.literal('account-deleted') }),
  z.object({ kind: z.literal('download-under-way') }),
  z.object({ kind: z.literal('welcome') }),
  z.object({ kind: z.literal('code-sent-again') }),
  z.object({ kind: z.literal('too-many-mails'), minutes: z.int().min(1) }),
  z.object({ kind: z.literal('email-changed'), count: z.int().min(0).nullable() }),
  z.object({ kind: z.literal('email-restored') }),
  z.object({ kind: z.literal('password-reset') }),
]);
export type ToastMessage = z.infer<typeof toastSchema>;

const NAME = 'toast';
/** Long enough for the redirect; a page that never comes leaves nothing behind. */
const MAX_AGE_SECONDS = 60;
const attributes = { path: '/', httpOnly: true, sameSite: 'lax' } as const;

/** A `Set-Cookie` value that has the next page say this. */
export function writeToast(message: ToastMessage, origin: string): string {
  return stringifySetCookie({
    name: NAME,
    value: Buffer.from(JSON.stringify(message)).toString('base64url'),
    ...attributes,
    secure: origin.startsWith('https:'),
    maxAge: MAX_AGE_SECONDS,
  });
}

/** The message that waits to be said; null when there is none, or none of ours. */
export function readToast(header: string | null): ToastMessage | null {
  const value = parseCookie(header ?? '')[NAME];
  if (!value) return null;
  try {
    return toastSchema.parse(JSON.parse(Buffer.from(value, 'base64url').toString('utf8')));
  } catch {
    return null;
  }
}

/** A `Set-Cookie` value for a page that has said it. */
export function clearToast(): string {
  return stringifySetCookie({ name: NAME, value: '', ...attributes, maxAge: 0 });
}

/** Words for a toast. */
export function toastText(message: ToastMessage): string {
  switch (message.kind) {
    case 'signed-out':
      return 'You are signed out.';
    case 'session-ended':
      return `${message.device} is signed out.`;
    case 'session-already-ended':
      return 'That device was signed out already.';
    case 'others-ended':
      return message.tokens == null
        ? othersText(message.count)
        : `${othersText(message.count)} ${tokensText(message.tokens)}`;
    case 'token-revoked':
      return `${message.token} is revoked.`;
    case 'device-named':
      return `The device is now called ${message.device}.`;
    case 'device-unnamed':
      return 'The name is gone; the device goes by what it told us.';
    case 'profile-saved':
      return 'Your profile is saved.';
    case 'picture-saved':
      return 'Your picture is saved.';
    case 'picture-removed':
      return 'Your picture is removed.';
    case 'password-changed':
      return message.count === null
        ? 'Your password is changed.'
        : `Your password is changed. ${othersText(message.count)}`;
    case 'two-factor-on':
      return withOthers('Signing in now takes a code of your app as well.', message.count);
    case 'two-factor-off':
      return withOthers('Signing in takes no code any more.', message.count);
    case 'recovery-codes-new':
      return withOthers('You have new recovery codes; the old ones are void.', message.count);
    case 'recovery-code-used':
      return usedCodeText(message.left);
    case 'sign-in-lapsed':
      return 'That took too long, or was finished already. Sign in once more.';
    case 'passkey-added':
      return withOthers(`You can now sign in with ${message.passkey}.`, message.count);
    case 'passkey-removed':
      return withOthers(`${message.passkey} is removed.`, message.count);
    case 'passkey-renamed':
      return `The passkey is now called ${message.passkey}.`;
    case 'connection-added':
      return withOthers(
        `${message.provider} is connected. You can sign in with it from now on.`,
        message.count,
      );
    case 'connection-removed':
      return withOthers(`${message.provider} is disconnected.`, message.count);
    case 'connected-meanwhile':
      return `Who you are at ${message.provider} has an account here by now. Sign in with ${message.provider}.`;
    case 'connection-already-removed':
      return 'That connection was gone already.';
    case 'everything-ended':
      return 'Every device is signed out.';
    case 'account-deleted':
      return 'Your account and everything kept about you are deleted.';
    case 'download-under-way':
      return 'A download is being made already. Wait until it is done, at most ten minutes, then try again.';
    case 'welcome':
      return 'Welcome. Your account is ready.';
    case 'code-sent-again':
      return 'Another code is on its way. The one before it is no longer good.';
    case 'too-many-mails':
      return `Too many mails were asked for. Wait ${message.minutes === 1 ? 'a minute' : `${message.minutes} minutes`}, then try again.`;
    case 'email-changed':
      return message.count === null
        ? 'Your e-mail is changed.'
        : `Your e-mail is changed. ${othersText(message.count)}`;
    case 'email-restored':
      return 'Your e-mail is as it was, and every device is signed out.';
    case 'password-reset':
      return 'Your password is set. Every other device is signed out.';
  }
}

function withOthers(text: string, count: number | null): string {
  return count === null ? text : `${text} ${othersText(count)}`;
}

function usedCodeText(left: number): string {
  if (left === 0) return 'That was your last recovery code. Make new ones in your settings.';
  return left === 1
    ? 'That recovery code is used up; 1 is left. Make new ones in your settings.'
    : `That recovery code is used up; ${left} are left.`;
}

function tokensText(count: number): string {
  if (count === 0) return 'There was no access token.';
  return count === 1 ? '1 access token is revoked.' : `${count} access tokens are revoked.`;
}

function othersText(count: number): string {
  if (count === 0) return 'No other device was signed in.';
  return count === 1 ? '1 other device is signed out.' : `${count} other devices are signed out.`;
}
