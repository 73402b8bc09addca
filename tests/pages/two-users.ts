import { expect } from 'vitest';
import type { TestApplication } from '../fixtures/application.ts';
import { mailboxOf, openBrowser, signUp, type TestUser } from '../fixtures/users.ts';

/** A user with data in every field of every table, and the unique texts by which to find them. */
export interface Canary {
  user: TestUser;
  userId: string;
  /** Unique texts. Everything that is stored about the user contains at least one of them. */
  traces: string[];
}

const WRONG_PASSWORDS = 5;

/** Signs up a user through the form, then fills every field of every table with their data. */
export async function hatchCanary(application: TestApplication, who: string): Promise<Canary> {
  const { db, keyring, replayGuard } = application.application;
  const now = application.clock.now();
  const traces: string[] = [];
  const mark = (field: string) => {
    const trace = `canary-${who}-${field}`;
    traces.push(trace);
    return trace;
  };
  const email = `${mark('email')}@example.com`;
  const user = await signUp(application, {
    email,
    name: mark('name'),
    userAgent: mark('agent'),
  });
  const { id: userId } = await db.user.findUniqueOrThrow({ where: { email } });
  for (let index = 0; index < WRONG_PASSWORDS; index += 1) {
    const password = `wrong password number ${index}`;
    await openBrowser(application).post('/login', { email, password });
  }
  await mailboxOf(application).nextMailTo(email, 'notice');
  // Fields that no page fills, or only with an authenticator.
  await db.session.updateMany({
    where: { userId },
    data: { label: mark('label'), meta: JSON.stringify({ note: mark('meta') }) },
  });
  await db.totp.create({ data: { userId, secret: mark('totp'), createdAt: now } });
  await db.recoveryCode.create({ data: { userId, codeHash: mark('recovery'), createdAt: now } });
  await db.passkey.create({
    data: {
      id: mark('passkey'),
      userId,
      name: mark('passkey-name'),
      counter: 1n,
      aaguid: 'none',
      publicKey: mark('public-key'),
      transports: '[]',
      isBackedUp: true,
      createdAt: now,
    },
  });
  await db.connection.create({
    data: {
      userId,
      issuer: 'https://issuer.example',
      subject: mark('subject'),
      provider: 'acme',
      displayName: mark('display-name'),
      tokens: mark('tokens'),
      createdAt: now,
    },
  });
  await db.activity.create({
    data: {
      userId,
      kind: 'signed-in',
      at: now,
      userAgent: mark('log-agent'),
      ipAddress: '::1',
      detail: JSON.stringify({ note: mark('detail') }),
      deviceKey: mark('device'),
    },
  });
  await db.picture.create({
    data: {
      userId,
      digest: mark('picture'),
      updatedAt: now,
      small: Buffer.from(mark('small-picture')),
      large: Buffer.from(mark('large-picture').repeat(2000)),
    },
  });
  const code = { purpose: 'sign-up', triesLeft: 5, createdAt: now, expiresAt: now };
  const pendingCode = {
    userId,
    email: `${mark('other-address')}@example.com`,
    payload: mark('load'),
  };
  await db.mailedCode.create({ data: { id: mark('code'), ...pendingCode, ...code } });
  await db.mailedCode.create({ data: { id: mark('early-code'), userId: null, email, ...code } });
  // Mails that are not due yet: one with a userId, one without.
  const later = new Date(now.getTime() + 3_600_000);
  const mail = { dueAt: later, expiresAt: later, createdAt: now };
  const mailToUser = {
    to: email,
    content: { kind: 'sign-up-code', code: '1', link: 'https://a.example' },
  };
  const sealed = keyring.seal('outgoing-mail', JSON.stringify({ ...mailToUser, isDecoy: false }));
  traces.push(sealed);
  await db.outgoingMail.create({ data: { userId: null, sealed, ...mail } });
  await db.outgoingMail.create({ data: { userId, sealed: mark('sealed'), ...mail } });
  await replayGuard.claim('a challenge', later);
  traces.push(userId, keyring.digest('rate limits', email));
  expect(
    await application.application.limits.takeAttempt('second-factor', {
      account: userId,
      ipAddress: '192.0.2.1',
      trustedSessionId: null,
    }),
  ).toMatchObject({ isAllowed: true });
  traces.push(keyring.digest('rate limits', userId));
  return { user, userId, traces };
}
