import {
  fresh,
  freshForm,
  open,
  signedIn,
  toRouteConfig,
  url,
  type RouteUrl,
} from './http/route-access.ts';

/** Every URL, the file that answers it, and who may open it. The guard reads this table. */
export const urls: RouteUrl[] = [
  url('', 'home.tsx', open('The home page explains the product to visitors.')),
  url('privacy', 'privacy.tsx', open('Visitors may read what we store before they sign up.')),
  url(
    'developers',
    'developers/page.tsx',
    open('Developers may read the API guide before they sign up.'),
  ),
  url('theme', 'theme.ts', open('The colour scheme belongs to the browser, not to the user.')),

  url('login', 'login/page.tsx', open('Users sign in here.')),
  url(
    'login/code',
    'login/code.tsx',
    open('The second step of signing in comes before the session.'),
  ),
  url(
    'login/recovery-code',
    'login/recovery-code.tsx',
    open('The second step of signing in comes before the session.'),
  ),
  url('login/passkey', 'login/passkey.tsx', open('Users sign in with a passkey here.')),
  url(
    'login/passkey/options',
    'login/passkey-options.ts',
    open('A passkey challenge reveals nothing about users.'),
  ),
  url(
    'login/provider/:provider',
    'login/provider.tsx',
    open('Users start to sign in with a provider here.'),
  ),
  url(
    'login/provider/:provider/callback',
    'login/provider-callback.ts',
    open('The user is unknown until the provider has answered.'),
  ),
  url('logout', 'logout.ts', open('Signing out twice is not an error.')),
  url('session/stay', 'session-stay.ts', signedIn),

  url('signup', 'signup/page.tsx', open('Visitors sign up here.')),
  url(
    'signup/verify',
    'signup/verify.tsx',
    open('The mailed code proves the address before the account exists.'),
  ),
  url(
    'signup/verify/again',
    'signup/verify-again.ts',
    open('A mailed code is sent again before the account exists.'),
  ),
  url(
    'signup/connection',
    'signup/connection.tsx',
    open('The sealed cookie holds what the provider said about the visitor.'),
  ),

  url(
    'forgot-password',
    'forgot-password.tsx',
    open('Users who forgot their password cannot sign in.'),
  ),
  url('reset-password', 'reset-password/page.tsx', open('The mailed code proves who the user is.')),
  url(
    'reset-password/again',
    'reset-password/again.ts',
    open('A mailed code is sent again before the user signs in.'),
  ),
  url(
    'reset-password/new',
    'reset-password/new.tsx',
    open('A sealed cookie shows that the mailed code was correct.'),
  ),
  url(
    'email-change/undo',
    'email-change-undo.tsx',
    open('The key in the mail is the proof; its owner may be locked out.'),
  ),
  url(
    'not-me',
    'not-me.tsx',
    open('The key in the mail is the proof, and mail is read on any device.'),
  ),
  url(
    'erased/:receiptId',
    'erased.tsx',
    open('The owner of an erased account cannot sign in; the receipt names no one.'),
  ),

  url('confirm', 'confirm/page.tsx', signedIn),
  url('confirm/passkey', 'confirm/passkey.ts', signedIn),
  url('confirm/passkey/options', 'confirm/passkey-options.ts', signedIn),
  url('confirm/provider/:provider', 'confirm/provider.ts', signedIn),

  url('picture/:digest/:size', 'picture.ts', signedIn),
  url('settings', 'settings/layout.tsx', signedIn, [
    url('', 'settings/index.ts', signedIn),
    url('profile', 'settings/profile/page.tsx', signedIn, [
      url('picture', 'settings/profile/picture.tsx', signedIn),
      url('picture/remove', 'settings/profile/picture-remove.tsx', signedIn),
    ]),
    url('email', 'settings/email/page.tsx', fresh),
    url('email/verify', 'settings/email/verify.tsx', freshForm),
    url('email/verify/again', 'settings/email/verify-again.ts', signedIn),
    url('password', 'settings/password.tsx', fresh),
    url('security', 'settings/security.tsx', signedIn),
    url('two-factor', 'settings/two-factor/page.tsx', signedIn, [
      url('new-codes', 'settings/two-factor/new-codes.tsx', fresh),
      url('turn-off', 'settings/two-factor/turn-off.tsx', fresh),
    ]),
    url('two-factor/set-up', 'settings/two-factor/set-up.tsx', fresh),
    url('two-factor/recovery-codes', 'settings/two-factor/recovery-codes.tsx', fresh),
    url('passkeys', 'settings/passkeys/page.tsx', signedIn, [
      url('new', 'settings/passkeys/new.tsx', fresh),
      url(':passkeyId/name', 'settings/passkeys/name.tsx', signedIn),
      url(':passkeyId/remove', 'settings/passkeys/remove.tsx', fresh),
    ]),
    url('passkeys/options', 'settings/passkeys/options.ts', freshForm),
    url('connections', 'settings/connections/page.tsx', signedIn, [
      url('add/:provider', 'settings/connections/add.ts', freshForm),
      url(':connectionId/disconnect', 'settings/connections/disconnect.tsx', fresh),
    ]),
    url('sessions', 'settings/sessions/page.tsx', signedIn, [
      url(':sessionId/name', 'settings/sessions/name.tsx', signedIn),
      // It requires a fresh proof by itself, unless the session is the user's own.
      url(':sessionId/sign-out', 'settings/sessions/sign-out.tsx', signedIn),
      url('others/sign-out', 'settings/sessions/sign-out-others.tsx', freshForm),
    ]),
    url('tokens', 'settings/tokens/page.tsx', signedIn, [
      url(':tokenId/revoke', 'settings/tokens/revoke.tsx', freshForm),
    ]),
    url('tokens/new', 'settings/tokens/new.tsx', fresh),
    url('tokens/made', 'settings/tokens/made.tsx', fresh),
    url('activity', 'settings/activity/page.tsx', signedIn, [
      url(':activityId/not-me', 'settings/activity/not-me.tsx', signedIn),
    ]),
    url('data', 'settings/data/page.tsx', signedIn),
    url('data/delete', 'settings/data/delete.tsx', fresh),
    url('data/download/:format?', 'settings/data/download.ts', freshForm),
  ]),

  // `requireOutbox` refuses requests from other machines, and all requests if mail is sent by SMTP.
  url('outbox', 'outbox/page.tsx', open('A developer reads sign-up codes here before signing in.')),
  url(
    'outbox/:mailId',
    'outbox/mail.tsx',
    open('A developer reads sign-up codes here before signing in.'),
  ),
  url(
    'outbox/:mailId/html',
    'outbox/mail-html.ts',
    open('A developer reads sign-up codes here before signing in.'),
  ),
  url('*', 'not-found.tsx', open('The answer to an unknown URL reveals nothing.')),
];

export default toRouteConfig(urls);
