import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LOG_ERROR, startApplication, type TestApplication } from '../fixtures/application.ts';
import type { Answer, BrowserLike } from '../fixtures/browser-like.ts';
import { cookieOf } from '../fixtures/cookies.ts';
import { userIdOf } from '../fixtures/ids.ts';
import {
  addPasskey,
  makePasskey,
  NEW_OPTIONS,
  NEW_PASSKEY,
  optionsOf,
  SIGN_IN_OPTIONS,
  signInBy,
} from '../fixtures/passkeys.ts';
import { openBrowser, signIn, signUp, type TestUser } from '../fixtures/users.ts';
import {
  SoftwarePasskey,
  USER_PRESENT,
  type Mischief,
} from '../fixtures/software-authenticator.ts';

const MINUTE_MS = 60_000;
const CONFIRM_OPTIONS = '/confirm/passkey/options';

let application: TestApplication;
let ada: TestUser;
let passkey: SoftwarePasskey;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());
beforeEach(async () => {
  ada = await signUp(application);
  passkey = await addPasskey(application, ada.browser);
});

const passkeysOf = async (user: TestUser) =>
  application.application.passkeys.list(userIdOf(application, user));
const expectNotSignedIn = async (browser: BrowserLike, answer: Answer) => {
  expect(answer.status, answer.text).toBe(400);
  expect(await browser.sessionToken()).toBeNull();
};
const handleOf = (id: string) => Buffer.from(id).toString('base64url');

describe('an assertion works once', () => {
  test('an assertion is refused when it is replayed with the same cookie', async () => {
    const browser = openBrowser(application);
    const credential = passkey.use(await optionsOf(browser, SIGN_IN_OPTIONS));
    const cookies = await browser.jar.getCookieString(application.origin);
    expect((await browser.post('/login/passkey', { credential })).status).toBe(302);
    for (const headers of [{ Cookie: cookies }]) {
      const thief = openBrowser(application);
      await expectNotSignedIn(
        thief,
        await thief.post('/login/passkey', { credential }, { headers }),
      );
    }
  });

  test('of twenty concurrent sign-ins with one assertion exactly one succeeds', async () => {
    const browser = openBrowser(application);
    const credential = passkey.use(await optionsOf(browser, SIGN_IN_OPTIONS));
    const headers = { Cookie: await browser.jar.getCookieString(application.origin) };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        openBrowser(application).post('/login/passkey', { credential }, { headers }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([
      302,
      ...Array.from({ length: 19 }, () => 400),
    ]);
  });

  test('of ten concurrent registrations with one challenge exactly one succeeds', async () => {
    const options = await optionsOf(ada.browser, NEW_OPTIONS);
    const { application: app } = application;
    const userId = userIdOf(application, ada);
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const made = JSON.parse(
          new SoftwarePasskey(application.origin).make(options),
        ) as Parameters<typeof app.passkeys.register>[1];
        const now = application.clock.now();
        return app.passkeys.register(userId, made, options.challenge, () => 'x', now);
      }),
    );
    expect(outcomes.filter(({ state }) => state === 'added')).toHaveLength(1);
    expect(await passkeysOf(ada)).toHaveLength(2);
  });
});

describe('challenges', () => {
  test('a challenge of another browser is refused', async () => {
    const options = await optionsOf(openBrowser(application), SIGN_IN_OPTIONS);
    const thief = openBrowser(application);
    await optionsOf(thief, SIGN_IN_OPTIONS);
    const answer = await thief.post('/login/passkey', { credential: passkey.use(options) });
    await expectNotSignedIn(thief, answer);
    const without = openBrowser(application);
    await expectNotSignedIn(
      without,
      await without.post('/login/passkey', { credential: passkey.use(options) }),
    );
  });

  test('a challenge expires after five minutes', async () => {
    const browser = openBrowser(application);
    const late = passkey.use(await optionsOf(browser, SIGN_IN_OPTIONS));
    application.clock.advance(5 * MINUTE_MS);
    await expectNotSignedIn(browser, await browser.post('/login/passkey', { credential: late }));
    const inTime = passkey.use(await optionsOf(browser, SIGN_IN_OPTIONS));
    application.clock.advance(5 * MINUTE_MS - 1);
    expect((await browser.post('/login/passkey', { credential: inTime })).status).toBe(302);
  });

  test.each([
    ['re-authentication', CONFIRM_OPTIONS, 'passkey-confirm'],
    ['registration', NEW_OPTIONS, 'passkey-registration'],
  ])(
    'a challenge for %s signs no user in, whatever the name of its cookie',
    async (_what, path, name) => {
      const options = await optionsOf(ada.browser, path);
      const sealed = (await cookieOf(ada.browser, name))!;
      const credential = passkey.use(options);
      for (const cookie of [`${name}=${sealed}`, `passkey-sign-in=${sealed}`]) {
        const thief = openBrowser(application);
        const headers = { Cookie: cookie };
        await expectNotSignedIn(
          thief,
          await thief.post('/login/passkey', { credential }, { headers }),
        );
      }
    },
  );

  test('a challenge for sign-in registers no passkey, whatever the name of its cookie', async () => {
    const options = await optionsOf(ada.browser, SIGN_IN_OPTIONS);
    const sealed = (await cookieOf(ada.browser, 'passkey-sign-in'))!;
    await ada.browser.jar.setCookie(`passkey-registration=${sealed}; Path=/`, application.origin);
    const made = new SoftwarePasskey(application.origin).make(options);
    expect((await ada.browser.post(NEW_PASSKEY, { credential: made })).status).toBe(400);
    expect(await passkeysOf(ada)).toHaveLength(1);
  });

  test('a challenge for registration is accepted only in its own session', async () => {
    const mallory = await signUp(application);
    const options = await optionsOf(mallory.browser, NEW_OPTIONS);
    const sealed = (await cookieOf(mallory.browser, 'passkey-registration'))!;
    await ada.browser.jar.setCookie(`passkey-registration=${sealed}; Path=/`, application.origin);
    const made = new SoftwarePasskey(application.origin).make(options);
    expect((await ada.browser.post(NEW_PASSKEY, { credential: made })).status).toBe(400);
    expect(await passkeysOf(ada)).toHaveLength(1);
    const tablet = await signIn(application, ada);
    await tablet.jar.setCookie(
      `passkey-registration=${(await registrationCookie(ada.browser))!}; Path=/`,
      application.origin,
    );
    expect((await tablet.post(NEW_PASSKEY, { credential: made })).status).toBe(400);
  });

  const registrationCookie = async (browser: BrowserLike) => {
    await optionsOf(browser, NEW_OPTIONS);
    return cookieOf(browser, 'passkey-registration');
  };
});

/** Faults for which an authenticator response is refused in both ceremonies. */
const faults: [what: string, fault: Mischief][] = [
  ['of another origin', { origin: 'https://evil.example' }],
  ['of another port', { origin: 'http://localhost:1' }],
  ['of another scheme', { origin: 'https://localhost' }],
  ['for another relying party', { rpId: 'evil.example' }],
  ['without user verification', { flags: USER_PRESENT }],
  ['without user presence', { flags: 0 }],
  ['to another challenge', { challenge: randomBytes(32).toString('base64url') }],
  ['to no challenge', { challenge: '' }],
];

describe('signing in', () => {
  test.each(faults)('a sign-in response %s is refused', async (_what, fault) => {
    const browser = openBrowser(application);
    await expectNotSignedIn(browser, await signInBy(browser, passkey, fault));
    // The same response without the fault is accepted.
    expect((await signInBy(browser, passkey)).status).toBe(302);
  });

  test('a registration response is refused at sign-in', async () => {
    const browser = openBrowser(application);
    await expectNotSignedIn(browser, await signInBy(browser, passkey, { type: 'webauthn.create' }));
  });

  test.each(['signature', 'authenticatorData', 'clientDataJSON'] as const)(
    'a sign-in response with any byte of its %s changed is refused',
    async (part) => {
      const browser = openBrowser(application);
      const text = passkey.use(await optionsOf(browser, SIGN_IN_OPTIONS));
      const length = Buffer.from(
        (JSON.parse(text) as { response: Record<string, string> }).response[part]!,
        'base64url',
      ).length;
      for (let at = 0; at < length; at += part === 'clientDataJSON' ? 7 : 3) {
        const answer = JSON.parse(text) as { response: Record<string, string> };
        const bytes = Buffer.from(answer.response[part]!, 'base64url');
        bytes[at]! ^= 0x01;
        answer.response[part] = bytes.toString('base64url');
        const credential = JSON.stringify(answer);
        const { status } = await browser.post('/login/passkey', { credential });
        expect(status, `byte ${at}`).toBe(400);
      }
      expect((await browser.post('/login/passkey', { credential: text })).status).toBe(302);
    },
  );

  test('a response signed with another key under the id of this passkey is refused', async () => {
    const { origin } = application;
    const forged = new SoftwarePasskey(origin, false, undefined, passkey.id);
    const browser = openBrowser(application);
    const userHandle = handleOf(userIdOf(application, ada));
    await expectNotSignedIn(browser, await signInBy(browser, forged, { userHandle }));
  });

  test("a passkey with another user's user handle is refused", async () => {
    const mallory = await signUp(application);
    const own = await addPasskey(application, mallory.browser);
    const browser = openBrowser(application);
    for (const userHandle of [
      handleOf(userIdOf(application, ada)),
      undefined,
      handleOf('nobody'),
    ]) {
      await expectNotSignedIn(browser, await signInBy(browser, own, { userHandle }));
    }
    // Nor does the own handle help with another user's passkey id.
    const id = passkey.id;
    await expectNotSignedIn(browser, await signInBy(browser, own, { id }));
  });

  test('a signature counter that does not increase is refused', async () => {
    const key = new SoftwarePasskey(application.origin, true);
    await addPasskey(application, ada.browser, key);
    expect((await signInBy(openBrowser(application), key, { counter: 7 })).status).toBe(302);
    for (const counter of [7, 6, 0]) {
      const browser = openBrowser(application);
      await expectNotSignedIn(browser, await signInBy(browser, key, { counter }));
    }
    expect((await signInBy(openBrowser(application), key, { counter: 8 })).status).toBe(302);
  });

  test('of ten concurrent sign-ins with one counter value exactly one succeeds', async () => {
    const key = new SoftwarePasskey(application.origin, true);
    await addPasskey(application, ada.browser, key);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => signInBy(openBrowser(application), key, { counter: 5 })),
    );
    expect(answers.filter(({ status }) => status === 302)).toHaveLength(1);
  });
});

describe('registration', () => {
  test.each(faults)('a registration response %s is refused', async (_what, fault) => {
    const made = new SoftwarePasskey(application.origin);
    expect((await makePasskey(ada.browser, made, fault)).status).toBe(400);
    expect(await passkeysOf(ada)).toHaveLength(1);
  });

  test('a sign-in response is refused at registration', async () => {
    const made = new SoftwarePasskey(application.origin);
    const answer = await makePasskey(ada.browser, made, { type: 'webauthn.get' });
    expect(answer.status).toBe(400);
  });

  test('a registration response whose id differs from the authenticator data is refused', async () => {
    const made = new SoftwarePasskey(application.origin);
    const honest = made.make(await optionsOf(ada.browser, NEW_OPTIONS));
    const id = randomBytes(32).toString('base64url');
    const credential = JSON.stringify({ ...(JSON.parse(honest) as object), id, rawId: id });
    expect((await ada.browser.post(NEW_PASSKEY, { credential })).status).toBe(400);
    expect(await passkeysOf(ada)).toHaveLength(1);
  });

  test('a passkey id that is already registered, to any user, is refused and changes nothing', async () => {
    const mallory = await signUp(application);
    for (const user of [ada, mallory]) {
      const forged = new SoftwarePasskey(application.origin, false, undefined, passkey.id);
      const answer = await makePasskey(user.browser, forged);
      expect(answer.status).toBe(400);
      expect(answer.text).toContain('That passkey is in use already.');
    }
    expect(await passkeysOf(mallory)).toEqual([]);
    const browser = openBrowser(application);
    expect((await signInBy(browser, passkey)).status).toBe(302);
  });

  test('an attestation statement is ignored, and no URL in it is requested', async () => {
    let visits = 0;
    const trap = createServer((_request, response) => {
      visits += 1;
      response.end();
    });
    await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve));
    const { port } = trap.address() as AddressInfo;
    const statement = new Map<string, unknown>([
      ['alg', -7],
      ['sig', new Uint8Array(64)],
      ['x5c', [new Uint8Array(Buffer.from(`http://127.0.0.1:${port}/crl`))]],
    ]);
    for (const format of ['packed', 'tpm', 'android-safetynet', 'nonsense']) {
      const made = new SoftwarePasskey(application.origin);
      await addPasskeyWith(made, [format, statement]);
      expect((await signInBy(openBrowser(application), made)).status).toBe(302);
    }
    expect(visits).toBe(0);
    await new Promise((resolve) => trap.close(resolve));
  });
  const addPasskeyWith = async (
    made: SoftwarePasskey,
    statement: NonNullable<Mischief['statement']>,
  ) => {
    expect((await makePasskey(ada.browser, made, { statement })).status).toBe(302);
  };
});

describe('malformed credentials', () => {
  const malformed: [what: string, credential: string][] = [
    ['an empty credential', ''],
    ['invalid JSON', '{'],
    ['a number', '1'],
    ['null', 'null'],
    ['an array', '[]'],
    ['an empty object', '{}'],
    ['a prototype', '{"__proto__":{"id":"x"}}'],
    ['query operators', '{"id":{"contains":""},"rawId":{"contains":""},"type":"public-key"}'],
    ['deep nesting', '['.repeat(20_000)],
    ['forty-nine thousand characters', `"${'x'.repeat(49_200)}"`],
  ];
  const altered: [
    what: string,
    change: Record<string, unknown>,
    response: Record<string, unknown>,
  ][] = [
    ['an id that is too long', { id: 'A'.repeat(1365), rawId: 'A'.repeat(1365) }, {}],
    ['an id that is not base64url', { id: 'é', rawId: 'é' }, {}],
    ['an id with a null byte', { id: 'a\0', rawId: 'a\0' }, {}],
    ['another type', { type: 'password' }, {}],
    ['two ids', { rawId: 'other' }, {}],
    ['invalid client data', {}, { clientDataJSON: 'AAAA' }],
    [
      'authenticator data that is too short',
      {},
      { authenticatorData: 'AAAA', attestationObject: 'AAAA' },
    ],
    ['client data that is too long', {}, { clientDataJSON: 'A'.repeat(16_385) }],
    [
      'members that are not strings',
      {},
      { clientDataJSON: 1, signature: [], attestationObject: {} },
    ],
    ['CBOR without an end', {}, { signature: 'AA', attestationObject: 'v2' }],
    [
      'CBOR that declares a huge length',
      {},
      { signature: 'AA', attestationObject: 'W///////////' },
    ],
    [
      'a user handle that is too long',
      {},
      { userHandle: 'A'.repeat(1365), attestationObject: 'A' },
    ],
  ];
  const errorsLogged = () => application.logged.filter(({ level }) => level >= LOG_ERROR);

  test.each(malformed)('%s in place of a credential is answered 400', async (_what, credential) => {
    const visitor = openBrowser(application);
    await optionsOf(visitor, SIGN_IN_OPTIONS);
    await expectNotSignedIn(visitor, await visitor.post('/login/passkey', { credential }));
    await optionsOf(ada.browser, NEW_OPTIONS);
    expect((await ada.browser.post(NEW_PASSKEY, { credential })).status).toBe(400);
    expect(errorsLogged()).toEqual([]);
  });

  test.each(altered)('a credential with %s is answered 400', async (_what, change, response) => {
    const alter = (text: string) => {
      const honest = JSON.parse(text) as { response: object };
      return JSON.stringify({
        ...honest,
        ...change,
        response: { ...honest.response, ...response },
      });
    };
    const visitor = openBrowser(application);
    const used = alter(passkey.use(await optionsOf(visitor, SIGN_IN_OPTIONS)));
    await expectNotSignedIn(visitor, await visitor.post('/login/passkey', { credential: used }));
    const options = await optionsOf(ada.browser, NEW_OPTIONS);
    const made = alter(new SoftwarePasskey(application.origin).make(options));
    expect((await ada.browser.post(NEW_PASSKEY, { credential: made })).status).toBe(400);
    expect(errorsLogged()).toEqual([]);
  });

  test('a malformed credential is never repeated on the page', async () => {
    const visitor = openBrowser(application);
    const { text } = await visitor.post('/login/passkey', { credential: '{"canary":1}' });
    expect(text).not.toContain('canary');
  });
});

describe("another user's passkey", () => {
  test.each(['name', 'remove'])(
    "/%s of another user's passkey gets the same 404 as a missing one",
    async (what) => {
      const mallory = await signUp(application);
      await mallory.browser.get('/');
      const before = application.everything();
      const masked = (answer: Answer, id: string) => {
        const nonce = /'nonce-([^']+)'/.exec(
          String(answer.headers['content-security-policy']),
        )![1]!;
        return {
          status: answer.status,
          text: answer.text.replaceAll(id, 'ID').replaceAll(nonce, 'NONCE'),
        };
      };
      const missing = 'A'.repeat(passkey.id.length);
      const address = (id: string) => `/settings/passkeys/${id}/${what}`;
      const theirs = await mallory.browser.get(address(passkey.id));
      expect(theirs.status).toBe(404);
      expect(masked(theirs, passkey.id)).toEqual(
        masked(await mallory.browser.get(address(missing)), missing),
      );
      const form = { name: 'Mine now' };
      const post = await mallory.browser.post(address(passkey.id), form);
      expect(masked(post, passkey.id)).toEqual(
        masked(await mallory.browser.post(address(missing), form), missing),
      );
      expect(application.everything()).toEqual(before);
    },
  );

  test("the passkeys module does not find, rename or remove another user's passkey", async () => {
    const mallory = userIdOf(application, await signUp(application));
    const { passkeys } = application.application;
    expect(await passkeys.rename(mallory, passkey.id, 'Mine now')).toBe(false);
    expect(await passkeys.remove(mallory, passkey.id, application.clock.now())).toBe('unknown');
    expect(await passkeys.find(mallory, passkey.id)).toBeNull();
  });

  test.each(['%00', 'a%00', '..%2f', '%F0%9F%94%91', 'x'.repeat(1365)])(
    'the malformed passkey id "%s" is answered 404',
    async (id) => {
      expect((await ada.browser.get(`/settings/passkeys/${id}/name`)).status).toBe(404);
    },
  );

  test("another user's passkey is refused at re-authentication", async () => {
    const mallory = await signUp(application);
    const own = await addPasskey(application, mallory.browser);
    const { passkeys } = application.application;
    const adaId = userIdOf(application, ada);
    const confirm = async (key: SoftwarePasskey, fault: Mischief = {}) => {
      const options = await passkeys.confirmOptions(adaId);
      const assertion = JSON.parse(key.use(options, fault)) as Parameters<
        typeof passkeys.confirm
      >[1];
      return passkeys.confirm(adaId, assertion, options.challenge, application.clock.now());
    };
    expect(await confirm(own)).toBe(false);
    expect(await confirm(own, { userHandle: handleOf(adaId) })).toBe(false);
    expect(await confirm(own, { userHandle: undefined })).toBe(false);
    expect(await confirm(own, { id: passkey.id })).toBe(false);
    expect(await confirm(passkey, { userHandle: undefined })).toBe(true);
    expect(await confirm(passkey)).toBe(true);
  });
});
