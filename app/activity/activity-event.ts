/** What can happen to an account. The details are never secret. */
export type ActivityEvent =
  | { kind: 'signed-up' }
  | { kind: 'signed-in' }
  /** The e-mail or the first factor was right, and something else wrong. */
  | { kind: 'sign-in-failed'; what: 'password' | 'second-factor' }
  | { kind: 'password-changed' }
  | { kind: 'password-reset' }
  | { kind: 'email-changed'; from: string; to: string }
  | { kind: 'email-change-undone'; to: string }
  | { kind: 'totp-on' }
  | { kind: 'totp-off' }
  | { kind: 'recovery-codes-new' }
  | { kind: 'recovery-code-used'; left: number }
  | { kind: 'passkey-added'; passkey: string }
  | { kind: 'passkey-removed'; passkey: string }
  | { kind: 'connection-added'; provider: string }
  | { kind: 'connection-removed'; provider: string }
  | { kind: 'session-ended'; device: string }
  | { kind: 'sessions-ended'; count: number }
  | { kind: 'token-made'; token: string }
  | { kind: 'token-revoked'; token: string }
  | { kind: 'tokens-revoked'; count: number }
  | { kind: 'download-made' }
  /** The user reported that something was not them. */
  | { kind: 'not-me' };

export type ActivityKind = ActivityEvent['kind'];

/** Failed attempts of one device within an hour share an entry, which counts them. */
export type StoredEvent = ActivityEvent & { count?: number };

export type FailedFactor = Extract<ActivityEvent, { kind: 'sign-in-failed' }>['what'];

/** Returns the event of the two columns that store it. */
export function parseEvent(kind: string, detail: unknown): StoredEvent {
  return { ...(detail as object | null), kind } as StoredEvent;
}
