import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server';
import { isUniqueViolation } from '#app/database/errors.server.ts';
import type { Database } from '#app/database/database.server.ts';
import type { Assertion, NewPasskey } from './passkey-schema.ts';
import type { ReplayGuard } from '#app/database/replay-guard.server.ts';
import { removeSignInMethod } from '../sign-in-methods.server.ts';

export interface PasskeysOptions {
  db: Database['client'];
  /** Scheme, host and port under which people reach the application; passkeys are bound to its host. */
  origin: string;
  replayGuard: ReplayGuard;
}

/** A passkey as its owner sees it: no key. */
export interface OwnPasskey {
  /** The credential id, base64url. Public. */
  id: string;
  name: string;
  /** Model of what keeps it; see `keeperOf`. */
  aaguid: string;
  /** True when it is copied to the person's other devices. */
  isBackedUp: boolean;
  createdAt: Date;
  lastUsedAt: Date | null;
}

/** What came of making a passkey: it, or why there is none. */
export type RegistrationResult =
  | { state: 'added'; passkey: OwnPasskey }
  /** What the browser sent does not answer the challenge, is of elsewhere, or is no passkey. */
  | { state: 'refused' }
  /** There is one of that id, of this person or of another one. */
  | { state: 'taken' }
  | { state: 'too-many' };

/**
 * Passkeys as a credential (W3C Web Authentication, level 3). A passkey that knew its owner (user
 * verification) counts as both factors, and no other is accepted.
 *
 * Options hold a fresh challenge: keep it for the browser that asked (`passkey-challenge.server.ts`)
 * and hand it back with the answer. Each challenge is good for one answer.
 */
export interface Passkeys {
  /** For `navigator.credentials.create()`: a passkey that can be found without an e-mail. */
  registrationOptions(user: {
    id: string;
    email: string;
    name: string;
  }): Promise<PublicKeyCredentialCreationOptionsJSON>;
  /** Adds the passkey that was made. @param nameFor names it by the model of what keeps it. */
  register(
    userId: string,
    made: NewPasskey,
    challenge: string,
    nameFor: (aaguid: string) => string,
    now: Date,
  ): Promise<RegistrationResult>;
  /** For `navigator.credentials.get()`, of whoever it may be. */
  signInOptions(): Promise<PublicKeyCredentialRequestOptionsJSON>;
  /** The user whose passkey this is; null when it is none of ours, or does not answer the challenge. */
  signIn(assertion: Assertion, challenge: string, now: Date): Promise<string | null>;
  /** For `navigator.credentials.get()` by one of this user's passkeys. */
  confirmOptions(userId: string): Promise<PublicKeyCredentialRequestOptionsJSON>;
  /** True when this user's passkey answers the challenge. */
  confirm(userId: string, assertion: Assertion, challenge: string, now: Date): Promise<boolean>;
  /** True when there is a passkey of that id, whoever it belongs to. */
  isKnown(id: string): Promise<boolean>;
  count(userId: string): Promise<number>;
  /** The newest first. */
  list(userId: string): Promise<OwnPasskey[]>;
  /** Returns a passkey of this user; `null` for an unknown id, or another user's. */
  find(userId: string, id: string | undefined): Promise<OwnPasskey | null>;
  /** False when this user has none of that id. */
  rename(userId: string, id: string, name: string): Promise<boolean>;
  /** 'unknown' when this user has none of that id; 'last-way-in' when nothing else is left to sign in with. */
  remove(userId: string, id: string, now: Date): Promise<'removed' | 'unknown' | 'last-way-in'>;
}

// Loading it takes a third of a second, which a start need not wait for.
const loadWebAuthn = () => import('@simplewebauthn/server');
const loadEncodings = () => import('@simplewebauthn/server/helpers');

const RELYING_PARTY_NAME = 'Latchkey';
/** A credential id: at most 1,023 bytes (WebAuthn §4) in base64url. Anything else is not looked up. */
const CREDENTIAL_ID = /^[\w-]{1,1364}$/;
const MAX_PASSKEYS = 50;
const MINUTE_MS = 60_000;
/** How long a challenge may take to come back. */
export const PASSKEY_CHALLENGE_MS = 5 * MINUTE_MS;
/** EdDSA, ES256 and RS256 (RFC 9053, RFC 8812): what authenticators have. */
const ALGORITHMS = [-8, -7, -257];
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
  const spend = (challenge: string, now: Date) =>
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
  const descriptorsOf = async (userId: string) => {
    const rows = await db.passkey.findMany({
      where: { userId },
      select: { id: true, transports: true },
    });
    return rows.map(({ id, transports }) => ({ id, transports: transportsOf(transports) }));
  };

  /** The user whose passkey answered; null for whatever is wrong with the answer. */
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
    const credential = {
      id,
      publicKey: new Uint8Array(Buffer.from(row.publicKey, 'base64url')),
      counter: Number(row.counter),
    };
    const { verifyAuthenticationResponse } = await loadWebAuthn();
    // The library throws for whatever is wrong, and nothing in there asks the database.
    const verified = await verifyAuthenticationResponse({
      response: responseOf(assertion),
      expectedChallenge: challenge,
      ...expected,
      credential,
    }).catch(() => null);
    if (!verified?.verified) return null;
    if (!(await spend(challenge, now))) return null;
    const { newCounter, credentialBackedUp } = verified.authenticationInfo;
    // An authenticator that counts never counts the same twice: whoever does holds a copy of it.
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
        excludeCredentials: await descriptorsOf(id),
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        supportedAlgorithmIDs: ALGORITHMS,
      });
    },
    async register(userId, made, challenge, nameFor, now) {
      const registration = await verifyRegistration(made, challenge, expected);
      if (!registration) return { state: 'refused' };
      if ((await db.passkey.count({ where: { userId } })) >= MAX_PASSKEYS) {
        return { state: 'too-many' };
      }
      if (!(await spend(challenge, now))) return { state: 'refused' };
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
            transports: JSON.stringify(made.response.transports),
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
      // Nobody said who it is: the passkey has to, and the row must agree (WebAuthn §7.2, step 6).
      if (userHandle === undefined || !(await belongs(assertion.id, userHandle))) return null;
      return verify(assertion, challenge, now);
    },
    confirmOptions: async (userId) => requestOptions(await descriptorsOf(userId)),
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

  async function belongs(id: string, userHandle: string): Promise<boolean> {
    return (await db.passkey.count({ where: { id, userId: userIdOf(userHandle) } })) === 1;
  }
}

/** What stands in it once it is verified; null for whatever is wrong with it. */
async function verifyRegistration(
  made: NewPasskey,
  challenge: string,
  expected: { expectedOrigin: string; expectedRPID: string; requireUserVerification: boolean },
) {
  const { verifyRegistrationResponse } = await loadWebAuthn();
  const encodings = await loadEncodings();
  try {
    const { response, ...rest } = made;
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: {
        ...rest,
        response: {
          clientDataJSON: response.clientDataJSON,
          attestationObject: withoutStatement(encodings, response.attestationObject),
        },
      },
      expectedChallenge: challenge,
      supportedAlgorithmIDs: ALGORITHMS,
      ...expected,
    });
    // The id that the browser names and the one that the authenticator does must be one.
    return verified && registrationInfo.credential.id === made.id ? registrationInfo : null;
  } catch {
    return null;
  }
}

/**
 * The attestation object without the statement of its maker. None was asked for, and to check one
 * that comes all the same would have the server fetch lists from addresses that a stranger chose.
 */
function withoutStatement(
  { decodeAttestationObject, isoBase64URL, isoCBOR }: Awaited<ReturnType<typeof loadEncodings>>,
  attestationObject: string,
): string {
  const decoded = decodeAttestationObject(isoBase64URL.toBuffer(attestationObject));
  const bare = new Map<string, string | Map<string, string> | Uint8Array>([
    ['fmt', 'none'],
    ['attStmt', new Map<string, string>()],
    ['authData', decoded.get('authData')],
  ]);
  return isoBase64URL.fromBuffer(isoCBOR.encode(bare));
}

function responseOf({ response: { userHandle, ...response }, ...assertion }: Assertion) {
  return { ...assertion, response: { ...response, ...(userHandle ? { userHandle } : {}) } };
}

const userIdOf = (userHandle: string) => Buffer.from(userHandle, 'base64url').toString('utf8');

const transportsOf = (json: string) => JSON.parse(json) as string[];
