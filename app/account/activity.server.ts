import type { Database } from '#app/db.server.ts';

/** What can happen to an account. What is said besides is never a secret. */
export type ActivityEvent =
  | { kind: 'signed-up' }
  | { kind: 'signed-in' }
  /** Somebody had the e-mail right, or the first factor, and something else wrong. */
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
  | { kind: 'download-made' }
  /** The person said that something was not them. */
  | { kind: 'not-me' };

export type ActivityKind = ActivityEvent['kind'];

/** Where and by which device something happened. */
export interface ActivitySource {
  userAgent: string;
  ipAddress: string;
  country: string | null;
  /** Public id of the session; null: in none. */
  sessionId: string | null;
}

/** The log of what happened to an account, for its owner to read. */
export interface ActivityLog {
  record(userId: string, event: ActivityEvent, source: ActivitySource, now: Date): Promise<void>;
}

export function createActivityLog(db: Database['client']): ActivityLog {
  return {
    async record(userId, { kind, ...detail }, { userAgent, ipAddress, country, sessionId }, now) {
      await db.activity.create({
        data: {
          ...{ userId, kind, at: now, sessionId, userAgent, ipAddress, country },
          detail: Object.keys(detail).length === 0 ? null : JSON.stringify(detail),
          deviceKey: '',
        },
        select: { id: true },
      });
    },
  };
}
