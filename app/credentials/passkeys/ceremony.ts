import {
  browserSupportsWebAuthnAutofill,
  startAuthentication,
  WebAuthnAbortService,
  type PublicKeyCredentialCreationOptionsJSON as CreationOptions,
  type PublicKeyCredentialRequestOptionsJSON as RequestOptions,
} from '@simplewebauthn/browser';

// Fetched when it is needed, by `import()`: pages come to life without it.

/** Use a passkey that there is, or make a new one. */
export type Ceremony = 'use' | 'make';

/** What came of it: the answer as JSON text, or what to tell the person. */
export type Outcome =
  | { state: 'done'; answer: string }
  /** The person thought better of it; `text` says how to go on. */
  | { state: 'cancelled'; text: string }
  | { state: 'failed'; text: string };

const REFRESH_MS = 240_000;

/** One ceremony at a time holds the browser's attention: that of a button comes before autofill's. */
let isAsking = false;
/** The requests for options in their order: the last answer's cookie is that of the ceremony. */
let lastAsked: Promise<unknown> = Promise.resolve();
let resumeAutofill: (() => void) | null = null;

/** Has the browser ask the person for a passkey. Never throws. */
export async function runCeremony(ceremony: Ceremony, optionsFrom: string): Promise<Outcome> {
  isAsking = true;
  WebAuthnAbortService.cancelCeremony();
  try {
    const answer =
      ceremony === 'use'
        ? await startAuthentication({ optionsJSON: await askOptions(optionsFrom) })
        : await make(await askOptions(optionsFrom));
    isAsking = false;
    // Autofill stays as it is: its new challenge would replace that of the answer on its way.
    return { state: 'done', answer: JSON.stringify(answer) };
  } catch (error) {
    isAsking = false;
    resumeAutofill?.();
    return outcomeOf(error, ceremony);
  }
}

/**
 * Has the browser offer passkeys where it offers to fill in the e-mail, for as long as the page is
 * looked at. Does nothing in browsers that cannot.
 *
 * @param use gets the answer as JSON text.
 * @returns ends it.
 */
export function startAutofill(optionsFrom: string, use: (answer: string) => void): () => void {
  let isOver = false;
  const mayOffer = () => !isOver && !isAsking && !document.hidden;
  const offer = async () => {
    if (!mayOffer()) return;
    try {
      if (!(await browserSupportsWebAuthnAutofill()) || !mayOffer()) return;
      const optionsJSON = await askOptions<RequestOptions>(optionsFrom);
      if (!mayOffer()) return;
      const answer = await startAuthentication({ optionsJSON, useBrowserAutofill: true });
      use(JSON.stringify(answer));
    } catch {
      // It was ended, or the person looked away: the form is still there.
    }
  };
  const again = () => void offer();
  // A challenge grows old, and another tab's replaces it.
  const timer = setInterval(again, REFRESH_MS);
  document.addEventListener('visibilitychange', again);
  resumeAutofill = again;
  again();
  return () => {
    isOver = true;
    resumeAutofill = null;
    clearInterval(timer);
    document.removeEventListener('visibilitychange', again);
    if (!isAsking) WebAuthnAbortService.cancelCeremony();
  };
}

/** Tells the browser that this passkey leads nowhere, so that it is not offered again. */
export async function reportUnknownPasskey(credentialId: string): Promise<void> {
  const credentials = PublicKeyCredential as Partial<Signals>;
  const rpId = location.hostname;
  await credentials.signalUnknownCredential?.({ rpId, credentialId }).catch(() => undefined);
}

interface Signals {
  signalUnknownCredential(signal: { rpId: string; credentialId: string }): Promise<void>;
}

class Unreachable extends Error {}

async function askOptions<Options>(optionsFrom: string): Promise<Options> {
  const asked = lastAsked.then(() => fetch(optionsFrom, { method: 'POST', redirect: 'manual' }));
  lastAsked = asked.catch(() => undefined);
  const answer = await asked.catch(() => {
    throw new Unreachable();
  });
  if (answer.type === 'opaqueredirect') {
    // Signed out, or it is time for a proof once more: the page itself knows where to.
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
      // The browser tells nobody which: cancelled, too slow, or nothing to choose from.
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

/** Few make one, and nobody on the login page. */
async function make(optionsJSON: CreationOptions) {
  const { startRegistration } = await import('./start-registration.ts');
  return startRegistration({ optionsJSON });
}

const failed = (text: string): Outcome => ({ state: 'failed', text });
