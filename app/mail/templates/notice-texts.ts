import type { NoticeEvent } from '../mail.ts';

interface NoticeText {
  subject: string;
  title: string;
  /** The sentence after "Hello Ada," that says what happened. */
  sentence: string;
  /** The label and name of the changed item, if it has a name. */
  fact?: [what: string, value: string];
}

/** Returns the texts of a notice. Names that a user chose are in the text, never in the subject. */
export function noticeText(event: NoticeEvent): NoticeText {
  switch (event.what) {
    case 'new-device':
      return {
        subject: 'New sign-in to your Latchkey account',
        title: 'A new device signed in',
        sentence: 'someone signed in to your account on a device that we have not seen before.',
      };
    case 'password-changed':
      return {
        subject: 'Your Latchkey password was changed',
        title: 'Your password was changed',
        sentence: 'the password of your account was changed.',
      };
    case 'password-reset':
      return {
        subject: 'Your Latchkey password was reset',
        title: 'Your password was reset',
        sentence:
          'a new password was set with a code that we mailed to you. All devices were signed out.',
      };
    case 'totp-on':
      return {
        subject: 'Two-factor sign-in is on for your Latchkey account',
        title: 'Two-factor sign-in is on',
        sentence: 'signing in now also asks for a code from an authenticator app.',
      };
    case 'totp-off':
      return {
        subject: 'Two-factor sign-in is off for your Latchkey account',
        title: 'Two-factor sign-in is off',
        sentence: 'signing in no longer asks for a code from an authenticator app.',
      };
    case 'recovery-codes-new':
      return {
        subject: 'New recovery codes for your Latchkey account',
        title: 'You have new recovery codes',
        sentence: 'new recovery codes were made for your account. The old ones no longer work.',
      };
    case 'recovery-code-used':
      return {
        subject: 'A recovery code of your Latchkey account was used',
        title: 'A recovery code was used',
        sentence: 'someone signed in to your account with one of your recovery codes.',
        fact: ['Codes left', leftText(event.left)],
      };
    case 'passkey-added':
      return {
        subject: 'A passkey was added to your Latchkey account',
        title: 'A passkey was added',
        sentence: 'a new passkey can now be used to sign in to your account.',
        fact: ['Passkey', event.passkey],
      };
    case 'passkey-removed':
      return {
        subject: 'A passkey was removed from your Latchkey account',
        title: 'A passkey was removed',
        sentence: 'a passkey can no longer be used to sign in to your account.',
        fact: ['Passkey', event.passkey],
      };
    case 'connection-added':
      return {
        subject: 'A way to sign in was added to your Latchkey account',
        title: 'A way to sign in was added',
        sentence: 'an account elsewhere can now be used to sign in to yours.',
        fact: ['Provider', event.provider],
      };
    case 'connection-removed':
      return {
        subject: 'A way to sign in was removed from your Latchkey account',
        title: 'A way to sign in was removed',
        sentence: 'an account elsewhere can no longer be used to sign in to yours.',
        fact: ['Provider', event.provider],
      };
    case 'token-made':
      return {
        subject: 'An access token was made for your Latchkey account',
        title: 'An access token was made',
        sentence: 'with a new access token, a program can now reach your account.',
        fact: ['Token', event.token],
      };
    case 'download-made':
      return {
        subject: 'Your Latchkey data was downloaded',
        title: 'Your data was downloaded',
        sentence: 'a copy of all data of your account was downloaded.',
      };
    case 'many-failed-attempts':
      return {
        subject: 'Failed attempts to sign in to your Latchkey account',
        title: 'Somebody tried to sign in',
        sentence: 'someone tried to sign in to your account several times and did not get in.',
      };
  }
}

function leftText(left: number): string {
  return left === 0 ? 'none: make new ones soon' : String(left);
}
