/**
 * The routes that need no session. Every other route does: see `guardRoutes`. Whoever adds a line
 * here says why.
 */
export const publicRoutes: ReadonlySet<string> = new Set([
  // The frame of every page; it shows who is signed in, if anyone is.
  'root',
  // What this is, for someone signed out.
  'routes/_index',
  // What is kept about people, for whoever thinks about becoming one of them.
  'routes/privacy',
  // How programs use the API: for whoever writes one, signed in or not.
  'routes/developers',
  // The doors.
  'routes/login',
  'routes/signup',
  // What comes before the first session: a code by mail proves the address, or that it is still theirs.
  'routes/signup_.verify',
  'routes/signup_.verify_.again',
  'routes/forgot-password',
  'routes/reset-password',
  'routes/reset-password_.again',
  'routes/reset-password_.new',
  // The key in the mail is proof of its own; whoever needs it may be locked out.
  'routes/email-change.undo',
  // The second step of signing in: whoever has proven the first factor has no session yet.
  'routes/login_.code',
  'routes/login_.recovery-code',
  // A passkey is a way in; a challenge to answer with one tells nothing.
  'routes/login_.passkey',
  'routes/login_.passkey_.options',
  // On the way to a provider and back: who comes back is known only then.
  'routes/login_.provider.$provider',
  'routes/login_.provider.$provider_.callback',
  // An account is made of what the provider said; the sealed cookie says what that was.
  'routes/signup_.connection',
  // Signing out what is signed out already is no error.
  'routes/logout',
  // The page of a link in a mail, which is read anywhere; the key in the form says whose account.
  'routes/not-me',
  // The receipt of an erased account: whose it was can sign in no more, and it names nobody.
  'routes/erased.$receiptId',
  // A colour scheme is kept per browser, not per person.
  'routes/theme',
  // Mail that was not sent, for whoever tries this on one machine and is not signed in when the code
  // comes. Only where the origin is this machine and there is no SMTP_URL, and only for requests
  // from it: see `requireOutbox`.
  'routes/outbox',
  'routes/outbox_.$mailId',
  'routes/outbox_.$mailId_.html',
  // "There is nothing here" tells nothing.
  'routes/$',
]);
