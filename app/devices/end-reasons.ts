import type { EndReason } from '#app/sessions/index.ts';

const texts: Record<EndReason, string> = {
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

/** Returns how a session ended, in words. */
export function endReasonText(reason: EndReason): string {
  // Another version of the application may have stored a reason that this version does not know.
  return (texts as Partial<typeof texts>)[reason] ?? reason;
}
