import type { EndReason } from '#app/sessions/index.ts';

const words: Record<EndReason, string> = {
  'signed-out': 'Signed out there',
  'signed-out-elsewhere': 'Signed out from another device',
  'password-changed': 'Signed out when the password was changed',
  'email-restored': 'Signed out when a change of the e-mail was taken back',
  'not-me': 'Signed out after “This wasn’t me”',
  replaced: 'Replaced by a new sign-in in the same browser',
  cap: 'Signed out to make room for a newer device',
  expired: 'Ran out',
  erased: 'Erased',
  administrator: 'Signed out by an administrator',
};

/** How a session ended, in words. */
export function endReasonText(reason: EndReason): string {
  // A row of another version of the application may give a reason that this one does not know.
  return (words as Partial<typeof words>)[reason] ?? reason;
}
