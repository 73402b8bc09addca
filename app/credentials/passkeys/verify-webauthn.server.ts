import type { Assertion, NewPasskey } from './passkey-schema.ts';

/** EdDSA, ES256 and RS256 (RFC 9053, RFC 8812): the algorithms that authenticators have. */
export const PASSKEY_ALGORITHMS = [-8, -7, -257];

/** What every response must match, besides its challenge. */
interface ExpectedResponse {
  expectedOrigin: string;
  expectedRPID: string;
  requireUserVerification: boolean;
}

/** Loads the library on first use: that takes a third of a second, which would slow down the start. */
export const loadWebAuthn = () => import('@simplewebauthn/server');
const loadEncodings = () => import('@simplewebauthn/server/helpers');

/** Returns the verified content of a new passkey; `null` if anything is wrong with it. */
export async function verifyRegistration(
  created: NewPasskey,
  challenge: string,
  expected: ExpectedResponse,
) {
  const { verifyRegistrationResponse } = await loadWebAuthn();
  const encodings = await loadEncodings();
  try {
    const { response, ...rest } = created;
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: {
        ...rest,
        response: {
          clientDataJSON: response.clientDataJSON,
          attestationObject: withoutStatement(encodings, response.attestationObject),
        },
      },
      expectedChallenge: challenge,
      supportedAlgorithmIDs: PASSKEY_ALGORITHMS,
      ...expected,
    });
    // The browser and the authenticator must name the same id.
    return verified && registrationInfo.credential.id === created.id ? registrationInfo : null;
  } catch {
    return null;
  }
}

/** Returns the verified content of an assertion by this credential; `null` if anything is wrong with it. */
export async function verifyAssertion(
  assertion: Assertion,
  credential: { publicKey: string; counter: number },
  challenge: string,
  expected: ExpectedResponse,
) {
  const { verifyAuthenticationResponse } = await loadWebAuthn();
  // The library throws for anything invalid. It does not query the database, so this hides no outage.
  const verified = await verifyAuthenticationResponse({
    response: toLibraryResponse(assertion),
    expectedChallenge: challenge,
    ...expected,
    credential: {
      id: assertion.id,
      publicKey: new Uint8Array(Buffer.from(credential.publicKey, 'base64url')),
      counter: credential.counter,
    },
  }).catch(() => null);
  return verified?.verified ? verified.authenticationInfo : null;
}

/**
 * Returns the attestation object without the manufacturer's statement. We request none, and to check one
 * that comes anyway the server would fetch lists from addresses that an attacker chose.
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

function toLibraryResponse({ response: { userHandle, ...response }, ...assertion }: Assertion) {
  return { ...assertion, response: { ...response, ...(userHandle ? { userHandle } : {}) } };
}
