import { DAY_MS, HOUR_MS } from '#app/sessions/index.ts';
import { retention } from '../retention.ts';
import {
  image,
  json,
  jsonOrNone,
  anonymous,
  number,
  repeats,
  secret,
  text,
  optionalText,
  time,
  optionalTime,
  yesOrNo,
  yesOrNoOrNone,
  type DataMap,
  type ModelClass,
  type ModelName,
  type PersonalModel,
} from './field-classes.ts';

const AS_LONG_AS_ACCOUNT = 'As long as your account exists.';
const yours = repeats('Whose it is', 'Your own id, which stands in your profile.');

/**
 * Classifies every stored field: which ones a user's download contains, and why others are withheld.
 * The download, its JSON Schema, the page /privacy and docs/processing.md are generated from it, so
 * that none of them can miss a table. In the order in which users see the tables.
 */
export const dataMap: DataMap = {
  User: {
    part: 'profile',
    title: 'Your profile',
    purpose: 'To have an account for you, and to reach you about it.',
    ground: 'contract',
    keptFor: () => AS_LONG_AS_ACCOUNT,
    rows: 'one',
    whose: 'id',
    order: 'createdAt',
    fields: {
      id: text('Id', 'What your account is called inside; it never changes.'),
      email: text('E-mail', 'You sign in with it, and mail about your account goes there.'),
      name: text('Name', 'What you are called on the pages and in mails.'),
      createdAt: time('Account created', 'When you signed up.'),
      updatedAt: time('Last changed', 'When your name or e-mail was last changed.'),
      emailVerifiedAt: optionalTime(
        'E-mail proven',
        'When you proved that mail to this address reaches you.',
      ),
    },
  },
  Picture: {
    part: 'picture',
    title: 'Your picture',
    purpose: 'To show you, on your own pages, whose account it is.',
    ground: 'contract',
    keptFor: () => 'Until you remove or replace it, and no longer than your account exists.',
    rows: 'one',
    order: 'updatedAt',
    fields: {
      userId: yours,
      small: image('Small', '64 by 64 pixels, made from what you uploaded.'),
      large: image('Large', '256 by 256 pixels, made from what you uploaded.'),
      digest: text('Version', 'A fingerprint of the picture: a new picture has another one.'),
      updatedAt: time('Uploaded', 'When you uploaded it.'),
    },
  },
  Password: {
    part: 'password',
    title: 'Your password',
    purpose: 'To let you in, and nobody else.',
    ground: 'contract',
    keptFor: () => 'Until you change it, and no longer than your account exists.',
    rows: 'one',
    order: 'changedAt',
    fields: {
      userId: yours,
      hash: secret(
        'The password itself',
        'Kept only as a hash, from which nobody can read it; who held the hash could try guesses.',
      ),
      changedAt: time('Last changed', 'When you last set it.'),
    },
  },
  Totp: {
    part: 'totp',
    title: 'Your authenticator app',
    purpose: 'To ask for a code of your app when you sign in.',
    ground: 'contract',
    keptFor: () => 'Until you turn it off, and no longer than your account exists.',
    rows: 'one',
    order: 'createdAt',
    fields: {
      userId: yours,
      secret: secret('The key of the app', 'Whoever has it can make your codes.'),
      createdAt: time('Added', 'When you added it.'),
      lastStep: secret('The code used last', 'Kept so that no code works twice.'),
    },
  },
  RecoveryCode: {
    part: 'recoveryCodes',
    title: 'Your recovery codes',
    purpose: 'To let you in when your authenticator app is lost.',
    ground: 'contract',
    keptFor: () => 'Until you make new ones, and no longer than your account exists.',
    rows: 'many',
    order: 'createdAt',
    fields: {
      id: repeats('Id', 'Tells one row from another, and says nothing of you.'),
      userId: yours,
      codeHash: secret('The code itself', 'Kept only as a keyed digest; the code lets you in.'),
      createdAt: time('Made', 'When the code was made.'),
      usedAt: optionalTime('Used', 'When you used it; each works once.'),
    },
  },
  Passkey: {
    part: 'passkeys',
    title: 'Your passkeys',
    purpose: 'To let you in with a device or key of yours.',
    ground: 'contract',
    keptFor: () => 'Until you remove it, and no longer than your account exists.',
    rows: 'many',
    order: 'createdAt',
    fields: {
      id: text('Credential id', 'What your device calls this passkey.'),
      userId: yours,
      name: text('Name', 'What you called it.'),
      publicKey: text(
        'Public key',
        'By it we check what your device signed; it lets nobody in. The private half never leaves your device.',
      ),
      counter: number('Signatures', 'How many your device has counted; 0 when it does not count.'),
      transports: json('Reached by', 'How your browser can reach the device.'),
      aaguid: text('Model', 'Of the device or password manager; all zeros when it does not say.'),
      isBackedUp: yesOrNo('Backed up', 'Whether the passkey is kept in more than one place.'),
      createdAt: time('Added', 'When you added it.'),
      lastUsedAt: optionalTime('Last used', 'When you last signed in with it.'),
    },
  },
  Connection: {
    part: 'connections',
    title: 'Your connected accounts',
    purpose: 'To let you in by way of an account that you have elsewhere.',
    ground: 'contract',
    keptFor: () => 'Until you disconnect it, and no longer than your account exists.',
    rows: 'many',
    order: 'createdAt',
    fields: {
      id: repeats('Id', 'Tells one row from another, and says nothing of you.'),
      userId: yours,
      issuer: text('Who vouches', 'The address of the provider.'),
      subject: text('Your id there', 'What the provider calls your account.'),
      provider: text('Provider', 'Which of the providers offered here it is.'),
      displayName: text('Name there', 'What you are called there, to tell connections apart.'),
      tokens: secret(
        'Keys of the provider',
        'If there are any, they are kept sealed: they would let somebody act for you there.',
      ),
      createdAt: time('Connected', 'When you connected it.'),
      lastUsedAt: optionalTime('Last used', 'When you last signed in by it.'),
    },
  },
  Session: {
    part: 'sessions',
    title: 'Where you are signed in',
    purpose:
      'To keep you and your programs signed in, and to show you each, so that you can end any of them.',
    ground: 'contract',
    keptFor: ({ sessionRetentionDays }) =>
      `Until it ends; then ${days(sessionRetentionDays)} more, so that you can see what there was.`,
    rows: 'many',
    order: 'createdAt',
    fields: {
      id: text('Id', 'Names the session in addresses; it proves nothing.'),
      kind: text('Kind', 'A device where you signed in, or an access token that you made.'),
      secretHash: secret(
        'The token itself',
        'Kept only as a hash; the token is what makes a browser, or a program, yours.',
      ),
      userId: yours,
      label: optionalText('Your name for it', 'The name that you gave the device or token.'),
      userAgent: text('Browser says', 'What the browser said of itself.'),
      ipAddress: text('IP address', 'From which you signed in.'),
      country: optionalText('Country', 'Looked up from the IP address, on our own machine.'),
      remember: yesOrNo('Remembered', 'Whether you asked to stay signed in.'),
      createdAt: time('Signed in', 'When you signed in.'),
      lastSeenAt: time('Last active', 'When you last did something, to within a minute or so.'),
      expiresAt: time('Ends by itself', 'When it ends, or would have, without being used.'),
      reauthenticatedAt: time('Last proof', 'When you last proved that it is you.'),
      revokedAt: optionalTime('Ended', 'When it was ended before its time.'),
      revokedReason: optionalText('Ended because', 'Why it was ended before its time.'),
      revokedBy: optionalText('Ended by', 'The session from which you ended it.'),
      meta: jsonOrNone(
        'Proven by',
        'What you signed in with, or at which application; of a token, what it may do.',
      ),
    },
  },
  ExpressSession: {
    part: 'applicationSessions',
    title: 'What other applications keep with your sessions',
    purpose: 'To let an application that shares these sessions remember what you are doing there.',
    ground: 'contract',
    keptFor: () => 'Until the session is removed.',
    rows: 'many',
    order: 'createdAt',
    fields: {
      sessionId: text('Session', 'Which of your sessions it is.'),
      userId: yours,
      application: text('Application', 'Where you are signed in by it.'),
      createdAt: time('Signed in', 'When you signed in there.'),
      data: secret('What it keeps', 'It may hold keys of that application; ask for it there.'),
    },
  },
  OauthSession: {
    part: 'storeGrants',
    title: 'Stores that you connected',
    purpose: 'To act in a store on behalf of whoever connected it.',
    ground: 'contract',
    keptFor: () => 'Until the store is disconnected; who connected it, as long as your account.',
    rows: 'many',
    whose: 'userId-or-email',
    order: 'createdAt',
    fields: {
      id: repeats('Id', 'Tells one row from another, and says nothing of you.'),
      store: text('Store', 'The address of the store.'),
      isOnline: yesOrNo('For you alone', 'Whether it acts for you, and not for the whole store.'),
      accessToken: secret('Key of the store', 'Kept sealed: whoever has it acts in the store.'),
      refreshToken: secret('Key for new keys', 'Kept sealed, as the key of the store is.'),
      userId: yours,
      firstName: optionalText('First name', 'As the store has it.'),
      lastName: optionalText('Last name', 'As the store has it.'),
      email: optionalText('E-mail', 'As the store has it.'),
      emailVerified: yesOrNoOrNone('E-mail proven', 'Whether the store says so.'),
      createdAt: time('Connected', 'When the store was connected.'),
      lastSeenAt: time('Last used', 'When the key was last renewed.'),
    },
  },
  Activity: {
    part: 'activities',
    title: 'What happened to your account',
    purpose: 'So that you can see what was done, and notice when it was not you.',
    ground: 'legitimate interest',
    keptFor: ({ activityRetentionDays }) => `${days(activityRetentionDays)}.`,
    rows: 'many',
    order: 'at',
    fields: {
      id: text('Id', 'Tells one entry from another.'),
      userId: yours,
      kind: text('Kind', 'What happened, in one word.'),
      at: time('When', 'When it happened.'),
      sessionId: optionalText('Session', 'In which of your sessions it happened.'),
      userAgent: text('Browser says', 'What the browser said of itself.'),
      ipAddress: text('IP address', 'From where it was done.'),
      country: optionalText('Country', 'Looked up from the IP address, on our own machine.'),
      detail: jsonOrNone('Detail', 'What else there is to tell.'),
      deviceKey: repeats(
        'Device',
        'Browser, system and country in one: by it a new device is noticed.',
      ),
    },
  },
  MailedCode: {
    part: 'mailedCodes',
    title: 'Codes that were mailed to you',
    purpose: 'To check, once, that mail to you reaches you.',
    ground: 'contract',
    keptFor: () =>
      `A code for ten minutes, the link of a notice for a week; then ${period(retention.mailedCodeMs)} more.`,
    rows: 'many',
    whose: 'userId-or-email',
    order: 'createdAt',
    fields: {
      id: repeats('Id', 'Tells one row from another, and says nothing of you.'),
      purpose: text('For what', 'What the code is good for.'),
      userId: yours,
      email: text('Address', 'Where it went.'),
      codeHash: secret('The code itself', 'Kept only as a keyed digest; it works in your place.'),
      browserHash: secret('Which browser', 'Kept only as a keyed digest of a secret in it.'),
      payload: secret('What follows', 'Sealed: what is done once the code comes back.'),
      triesLeft: number('Tries left', 'How often it can still be typed wrong.'),
      createdAt: time('Sent', 'When it was sent.'),
      expiresAt: time('Expires', 'When it stops working.'),
    },
  },
  OutgoingMail: {
    part: 'outgoingMails',
    title: 'Mail on its way to you',
    purpose: 'To send it again when your mail server was busy.',
    ground: 'contract',
    keptFor: () =>
      `Until it is sent, or is of no use any more: ${period(retention.waitingMailMs)} at most.`,
    rows: 'many',
    order: 'createdAt',
    fields: {
      id: repeats('Id', 'Tells one row from another, and says nothing of you.'),
      userId: yours,
      sealed: secret(
        'The mail itself',
        'Kept sealed: it may hold a code. It goes to your own address.',
      ),
      createdAt: time('Written', 'When it was written.'),
      dueAt: time('Next try', 'When it is tried next.'),
      expiresAt: time('Given up', 'When it is of no use any more.'),
      tries: number('Tries', 'How often it was tried.'),
    },
  },
  Spent: {
    part: null,
    title: 'Things that work once',
    purpose: 'So that what was used to sign in cannot be used again by somebody else.',
    ground: 'legitimate interest',
    keptFor: () => 'Until the thing would be refused for its age: a day at most.',
    fields: {
      digest: anonymous('Fingerprint', 'Of something random that was used up; it names nobody.'),
      expiresAt: anonymous('Expires', 'When it is forgotten.'),
    },
  },
  RateLimit: {
    part: null,
    title: 'Counters of tries',
    purpose: 'So that nobody can guess passwords and codes by trying them all.',
    ground: 'legitimate interest',
    keptFor: () => `At most ${period(retention.countersMs)}.`,
    fields: {
      key: anonymous('Key', 'A keyed digest of an account or a network; it cannot be turned back.'),
      points: anonymous('Count', 'How often something was tried.'),
      expire: anonymous('Expires', 'When the count starts anew.'),
    },
  },
  CacheLease: {
    part: null,
    title: 'Servers that are running',
    purpose: 'So that signing out counts on every one of them at once.',
    ground: 'legitimate interest',
    keptFor: () => 'As long as the server runs.',
    fields: {
      id: anonymous('Number', 'Random; it stands for a server, and names nobody.'),
      takenAt: anonymous('Since', 'When the server began.'),
    },
  },
  ErasureReceipt: {
    part: null,
    title: 'Receipts of erased accounts',
    purpose: 'To show that an erasure was done, and to do it again on a backup that is older.',
    ground: 'legitimate interest',
    keptFor: () =>
      `${period(retention.erasureReceiptMs)}: for as long as there may be a backup that is older.`,
    fields: {
      id: anonymous('Number', 'Random; only whoever erased the account was given it.'),
      erasedAt: anonymous('When', 'When the account was erased.'),
      counts: anonymous('Counts', 'How many rows went from which table.'),
      subjectDigest: anonymous('Fingerprint', 'A keyed digest of a random id; it names nobody.'),
      pending: anonymous(
        'Still to do',
        'What is still to be cleared away; empty once that is done.',
      ),
    },
  },
};

export interface MappedModel<Class> {
  name: ModelName;
  model: Class;
}

/** All models, in the order of the map. */
export const everyModel = Object.entries(dataMap).map(([name, model]) => ({
  name,
  model,
})) as MappedModel<ModelClass>[];

/** The models whose rows are in a user's download. */
export const personalModels = everyModel.filter(
  (mapped): mapped is MappedModel<PersonalModel> => mapped.model.part !== null,
);

function days(count: number): string {
  return period(count * DAY_MS);
}

const UNITS = [
  ['year', 365 * DAY_MS],
  ['day', DAY_MS],
  ['hour', HOUR_MS],
] as const;

/** Returns "1 hour", "30 days", "3 years": in the largest unit with a whole count. */
function period(ms: number): string {
  const [unit, unitMs] = UNITS.find(([, length]) => ms % length === 0) ?? ['hour', HOUR_MS];
  const count = Math.ceil(ms / unitMs);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
