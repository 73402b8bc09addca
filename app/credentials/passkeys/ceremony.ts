import {
  browserSupportsWebAuthnAutofill,
  startAuthentication,
  WebAuthnAbortService,
  type PublicKeyCredentialCreationOptionsJSON as CreationOptions,
  type PublicKeyCredentialRequestOptionsJSON as RequestOptions,
} from '@simplewebauthn/browser';

// Load this module with `import()`, on use: pages hydrate without it.

/** Use an existing passkey, or create a new one. */
export type Ceremony = 'use' | 'make';

/** The outcome: the browser's answer as JSON text, or a text for the user. */
export type Outcome =
  | { state: 'done'; answer: string }
  /** The user cancelled. */
  | { state: 'cancelled'; text: string }
  | { state: 'failed'; text: string };

const REFRESH_MS = 240_000;

/** True during a ceremony that a button started; autofill waits, because browsers run one at a time. */
let isAsking = false;
/** The last request for options. Requests run one by one, so that the last cookie fits the ceremony. */
let lastRequest: Promise<unknown> = Promise.resolve();
let resumeAutofill: (() => void) | null = null;

/** Has the browser ask the user for a passkey. Never throws. */
export async function runCeremony(ceremony: Ceremony, optionsFrom: string): Promise<Outcome> {
  isAsking = true;
  WebAuthnAbortService.cancelCeremony();
  try {
    const answer =
      ceremony === 'use'
        ? await startAuthentication({ optionsJSON: await fetchOptions(optionsFrom) })
        : await createPasskey(await fetchOptions(optionsFrom));
    isAsking = false;
    // Do not resume autofill: its new challenge would replace the one that this answer needs.
    return { state: 'done', answer: JSON.stringify(answer) };
  } catch (error) {
    isAsking = false;
    resumeAutofill?.();
    return outcomeOf(error, ceremony);
  }
}

/**
 * Has the browser offer passkeys in the autofill of the e-mail field, while the page is visible. Does
 * nothing in browsers without that feature.
 *
 * @param use gets the answer as JSON text.
 * @returns a function that ends it.
 */
export function startAutofill(optionsFrom: string, use: (answer: string) => void): () => void {
  let hasEnded = false;
  const mayOffer = () => !hasEnded && !isAsking && !document.hidden;
  const offer = async () => {
    if (!mayOffer()) return;
    try {
      if (!(await browserSupportsWebAuthnAutofill()) || !mayOffer()) return;
      const optionsJSON = await fetchOptions<RequestOptions>(optionsFrom);
      if (!mayOffer()) return;
      const answer = await startAuthentication({ optionsJSON, useBrowserAutofill: true });
      use(JSON.stringify(answer));
    } catch {
      // It was cancelled, or failed: the user still has the form.
    }
  };
  const restart = () => void offer();
  // A challenge expires, and one for another tab replaces it.
  const timer = setInterval(restart, REFRESH_MS);
  document.addEventListener('visibilitychange', restart);
  resumeAutofill = restart;
  restart();
  return () => {
    hasEnded = true;
    resumeAutofill = null;
    clearInterval(timer);
    document.removeEventListener('visibilitychange', restart);
    if (!isAsking) WebAuthnAbortService.cancelCeremony();
  };
}

/** Tells the browser that we do not know this passkey, so that it stops offering it. */
export async function reportUnknownPasskey(credentialId: string): Promise<void> {
  const credentials = PublicKeyCredential as Partial<Signals>;
  const rpId = location.hostname;
  await credentials.signalUnknownCredential?.({ rpId, credentialId }).catch(() => undefined);
}

interface Signals {
  signalUnknownCredential(signal: { rpId: string; credentialId: string }): Promise<void>;
}

class Unreachable extends Error {}

async function fetchOptions<Options>(optionsFrom: string): Promise<Options> {
  const request = lastRequest.then(() =>
    fetch(optionsFrom, { method: 'POST', redirect: 'manual' }),
  );
  lastRequest = request.catch(() => undefined);
  const answer = await request.catch(() => {
    throw new Unreachable();
  });
  if (answer.type === 'opaqueredirect') {
    // The user is signed out, or must re-authenticate: reload the page, which redirects as needed.
    location.reload();
  }
  if (!answer.ok) throw new Unreachable();
  return (await answer.json()) as Options;
}

function outcomeOf(error: unknown, ceremony: Ceremony): Outcome {
  if (error instanceof Unreachable) {
    return failed('We could not be reached. Check your connection, then try again.');
  }
  const { cause, name } = (error ?? {}) as { cause?: { name?: string }; name?: string };
  switch (cause?.name ?? name) {
    case 'AbortError':
    case 'NotAllowedError':
      // Cancelled, timed out, or no passkey to choose from: the browser does not say which.
      return {
        state: 'cancelled',
        text: ceremony === 'use' ? 'No passkey was used.' : 'No passkey was added.',
      };
    case 'InvalidStateError':
      return failed('This device has a passkey for this account already.');
    case 'ConstraintError':
      return failed(
        'This one cannot check that it is you, by fingerprint, face or PIN. Use another one.',
      );
    case 'NotSupportedError':
      return failed('This one makes no passkeys that work here. Use another one.');
    case 'SecurityError':
      return failed('Your browser allows no passkeys at this address.');
    default:
      return failed('Your browser could not do that. Try again, or use another way.');
  }
}

async function createPasskey(optionsJSON: CreationOptions) {
  const { startRegistration } = await import('./start-registration.ts');
  return startRegistration({ optionsJSON });
}

const failed = (text: string): Outcome => ({ state: 'failed', text });
