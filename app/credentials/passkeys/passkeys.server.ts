import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server';
import { isUniqueViolation } from '#app/database/errors.server.ts';
import type { Database } from '#app/database/database.server.ts';
import type { Assertion, NewPasskey } from './passkey-schema.ts';
import type { ReplayGuard } from '#app/database/replay-guard.server.ts';
import { removeSignInMethod } from '../sign-in-methods.server.ts';
import {
  loadWebAuthn,
  PASSKEY_ALGORITHMS,
  verifyAssertion,
  verifyRegistration,
} from './verify-webauthn.server.ts';

interface PasskeysOptions {
  db: Database['client'];
  /** Scheme, host and port of the application; passkeys are bound to the host. */
  origin: string;
  replayGuard: ReplayGuard;
}

/** A passkey as its user sees it: without the key. */
interface OwnPasskey {
  /** The credential id, base64url. Public. */
  id: string;
  name: string;
  /** Model of the authenticator; see `authenticatorName`. */
  aaguid: string;
  /** True if it is synchronised to other devices of the user. */
  isBackedUp: boolean;
  createdAt: Date;
  lastUsedAt: Date | null;
}

/** The outcome of a registration. */
type RegistrationResult =
  | { state: 'added'; passkey: OwnPasskey }
  /** The response does not match the challenge, is for another origin, or is no passkey. */
  | { state: 'refused' }
  /** A passkey of that id exists already, for this user or another. */
  | { state: 'taken' }
  | { state: 'too-many' };

/**
 * Passkeys as a credential (W3C Web Authentication, level 3). Every passkey must verify its user
 * (fingerprint, face or PIN), so it counts as both factors.
 *
 * Options contain a new challenge: keep it for the browser that asked (`passkey-challenges.server.ts`)
 * and pass it in with the response. Each challenge is valid for one response.
 */
interface Passkeys {
  /** Returns the options for `navigator.credentials.create()`: a passkey that works without an e-mail. */
  registrationOptions(user: {
    id: string;
    email: string;
    name: string;
  }): Promise<PublicKeyCredentialCreationOptionsJSON>;
  /**
   * Adds a new passkey.
   *
   * @param nameFor returns its name, by the model of the authenticator.
   */
  register(
    userId: string,
    created: NewPasskey,
    challenge: string,
    nameFor: (aaguid: string) => string,
    now: Date,
  ): Promise<RegistrationResult>;
  /** Returns the options for `navigator.credentials.get()` with a passkey of any user. */
  signInOptions(): Promise<PublicKeyCredentialRequestOptionsJSON>;
  /** Returns the id of the passkey's user; `null` if it is unknown or does not match the challenge. */
  signIn(assertion: Assertion, challenge: string, now: Date): Promise<string | null>;
  /** Returns the options for `navigator.credentials.get()` with a passkey of this user. */
  confirmOptions(userId: string): Promise<PublicKeyCredentialRequestOptionsJSON>;
  /** True if a passkey of this user matches the challenge. */
  confirm(userId: string, assertion: Assertion, challenge: string, now: Date): Promise<boolean>;
  /** True if a passkey of that id exists, of any user. */
  isKnown(id: string): Promise<boolean>;
  count(userId: string): Promise<number>;
  /** Returns the user's passkeys, newest first. */
  list(userId: string): Promise<OwnPasskey[]>;
  /** Returns a passkey of this user; `null` for an unknown id, or another user's. */
  find(userId: string, id: string | undefined): Promise<OwnPasskey | null>;
  /** False if this user has no passkey of that id. */
  rename(userId: string, id: string, name: string): Promise<boolean>;
  /**
   * 'unknown' if this user has no passkey of that id; 'last-way-in' if the user has no other sign-in
   * method.
   */
  remove(userId: string, id: string, now: Date): Promise<'removed' | 'unknown' | 'last-way-in'>;
}

const RELYING_PARTY_NAME = 'Latchkey';
/** A credential id: at most 1,023 bytes (WebAuthn §4) in base64url. Other ids are not looked up. */
const CREDENTIAL_ID = /^[\w-]{1,1364}$/;
const MAX_PASSKEYS = 50;
const MINUTE_MS = 60_000;
/** How long a challenge is valid. */
export const PASSKEY_CHALLENGE_MS = 5 * MINUTE_MS;
const OWN_COLUMNS = {
  id: true,
  name: true,
  aaguid: true,
  isBackedUp: true,
  createdAt: true,
  lastUsedAt: true,
} as const;

export function createPasskeys({ db, origin, replayGuard }: PasskeysOptions): Passkeys {
  const rpID = new URL(origin).hostname;
  const expected = {
    expectedOrigin: origin,
    expectedRPID: rpID,
    requireUserVerification: true,
  };
  const claimChallenge = (challenge: string, now: Date) =>
    replayGuard.claim(`passkey ${challenge}`, new Date(now.getTime() + PASSKEY_CHALLENGE_MS));
  const requestOptions = async (allowed?: { id: string; transports: string[] }[]) => {
    const { generateAuthenticationOptions } = await loadWebAuthn();
    return generateAuthenticationOptions({
      rpID,
      userVerification: 'required',
      timeout: PASSKEY_CHALLENGE_MS,
      ...(allowed ? { allowCredentials: allowed } : {}),
    });
  };
  const findDescriptors = async (userId: string) => {
    const rows = await db.passkey.findMany({
      where: { userId },
      select: { id: true, transports: true },
    });
    return rows.map(({ id, transports }) => ({ id, transports: parseTransports(transports) }));
  };

  /** Returns the id of the passkey's user, and uses up the challenge; `null` if the response is invalid. */
  const verify = async (
    assertion: Assertion,
    challenge: string,
    now: Date,
  ): Promise<string | null> => {
    const { id } = assertion;
    const row = await db.passkey.findUnique({
      where: { id },
      select: { userId: true, publicKey: true, counter: true },
    });
    if (!row) return null;
    const credential = { publicKey: row.publicKey, counter: Number(row.counter) };
    const verified = await verifyAssertion(assertion, credential, challenge, expected);
    if (!verified) return null;
    if (!(await claimChallenge(challenge, now))) return null;
    const { newCounter, credentialBackedUp } = verified;
    // An authenticator with a counter never repeats a value: a repeated one comes from a copy.
    const { count } = await db.passkey.updateMany({
      where: { id, userId: row.userId, counter: newCounter === 0 ? 0 : { lt: newCounter } },
      data: { counter: newCounter, lastUsedAt: now, isBackedUp: credentialBackedUp },
    });
    return count === 1 ? row.userId : null;
  };

  return {
    async registrationOptions({ id, email, name }) {
      const { generateRegistrationOptions } = await loadWebAuthn();
      return generateRegistrationOptions({
        rpName: RELYING_PARTY_NAME,
        rpID,
        userID: new Uint8Array(Buffer.from(id, 'utf8')),
        userName: email,
        userDisplayName: name,
        timeout: PASSKEY_CHALLENGE_MS,
        attestationType: 'none',
        excludeCredentials: await findDescriptors(id),
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        supportedAlgorithmIDs: PASSKEY_ALGORITHMS,
      });
    },
    async register(userId, created, challenge, nameFor, now) {
      const registration = await verifyRegistration(created, challenge, expected);
      if (!registration) return { state: 'refused' };
      if ((await db.passkey.count({ where: { userId } })) >= MAX_PASSKEYS) {
        return { state: 'too-many' };
      }
      if (!(await claimChallenge(challenge, now))) return { state: 'refused' };
      const { aaguid, credential, credentialBackedUp } = registration;
      try {
        const passkey = await db.passkey.create({
          data: {
            id: credential.id,
            userId,
            name: nameFor(aaguid),
            aaguid,
            createdAt: now,
            publicKey: Buffer.from(credential.publicKey).toString('base64url'),
            counter: credential.counter,
            transports: JSON.stringify(created.response.transports),
            isBackedUp: credentialBackedUp,
          },
          select: OWN_COLUMNS,
        });
        return { state: 'added', passkey };
      } catch (error) {
        if (isUniqueViolation(error, 'id')) return { state: 'taken' };
        throw error;
      }
    },
    signInOptions: () => requestOptions(),
    async signIn(assertion, challenge, now) {
      const { userHandle } = assertion.response;
      // The user is unknown: the passkey must name one that the row confirms (WebAuthn §7.2, step 6).
      if (userHandle === undefined || !(await isPasskeyOf(assertion.id, userHandle))) return null;
      return verify(assertion, challenge, now);
    },
    confirmOptions: async (userId) => requestOptions(await findDescriptors(userId)),
    async confirm(userId, assertion, challenge, now) {
      const { id, response } = assertion;
      if (response.userHandle !== undefined && userIdOf(response.userHandle) !== userId) {
        return false;
      }
      if ((await db.passkey.count({ where: { id, userId } })) === 0) return false;
      return (await verify(assertion, challenge, now)) === userId;
    },
    isKnown: async (id) => (await db.passkey.count({ where: { id } })) > 0,
    count: (userId) => db.passkey.count({ where: { userId } }),
    list: (userId) =>
      db.passkey.findMany({
        where: { userId },
        orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
        select: OWN_COLUMNS,
      }),
    find: async (userId, id = '') =>
      CREDENTIAL_ID.test(id)
        ? db.passkey.findFirst({ where: { id, userId }, select: OWN_COLUMNS })
        : null,
    async rename(userId, id, name) {
      const { count } = await db.passkey.updateMany({ where: { id, userId }, data: { name } });
      return count === 1;
    },
    remove: (userId, id, now) =>
      removeSignInMethod(db, userId, now, async (transaction) => {
        const { count } = await transaction.passkey.deleteMany({ where: { id, userId } });
        return count;
      }),
  };

  async function isPasskeyOf(id: string, userHandle: string): Promise<boolean> {
    return (await db.passkey.count({ where: { id, userId: userIdOf(userHandle) } })) === 1;
  }
}

const userIdOf = (userHandle: string) => Buffer.from(userHandle, 'base64url').toString('utf8');

const parseTransports = (json: string) => JSON.parse(json) as string[];
