import type { EndReason } from '#app/sessions/index.ts';

interface EndTexts {
  /** In the list of ended sessions, and in the download. */
  inList: string;
  /** On the login page of the device; `null`: nothing, because it signed out by itself. */
  atSignIn: string | null;
}

const texts: Record<EndReason, EndTexts> = {
  'signed-out': { inList: 'Signed out there', atSignIn: null },
  replaced: { inList: 'Replaced by a new sign-in in the same browser', atSignIn: null },
  'signed-out-elsewhere': {
    inList: 'Signed out from another device',
    atSignIn: 'You were signed out from another device.',
  },
  'password-changed': {
    inList: 'Signed out when the password was changed',
    atSignIn: 'You were signed out because your password was changed.',
  },
  'email-restored': {
    inList: 'Signed out when a change of the e-mail was taken back',
    atSignIn: 'You were signed out because a change of your e-mail was taken back.',
  },
  'not-me': {
    inList: 'Signed out after “This wasn’t me”',
    atSignIn: 'You were signed out because you reported suspicious activity.',
  },
  cap: {
    inList: 'Signed out to make room for a newer device',
    atSignIn: 'You were signed out because you signed in on many other devices since.',
  },
  expired: {
    inList: 'Expired',
    atSignIn: 'You were signed out because you were inactive for a while.',
  },
  erased: {
    inList: 'Erased',
    atSignIn: 'You were signed out because this account was deleted.',
  },
  administrator: {
    inList: 'Signed out by an administrator',
    atSignIn: 'You were signed out by an administrator.',
  },
};

/** Returns why a session ended, in words. */
export function endTexts(reason: EndReason): EndTexts {
  // Another version of the application may have stored a reason that this one does not know.
  return (texts as Partial<typeof texts>)[reason] ?? { inList: reason, atSignIn: null };
}
