import type { Places } from '#app/network/places.server.ts';
import { describeDevice, type DeviceKind } from '#app/sessions/device.ts';
import type { ActivityKind, StoredEvent } from './activity-event.ts';
import type { ActivityEntry } from './activity-log.server.ts';

/** An entry of the activity log as its user sees it on the page. */
interface ActivityView {
  id: string;
  kind: ActivityKind;
  /** "Signed in", "Passkey Kitchen iPad removed". */
  text: string;
  /** A further sentence; `null` if there is none. */
  more: string | null;
  deviceKind: DeviceKind;
  /** "Firefox 131 on Windows". */
  device: string;
  place: string;
  ipAddress: string;
  at: string;
  /** True if it happened in the current session. */
  isHere: boolean;
  /** True if the page offers "This wasn't me" for it. */
  canBeDisputed: boolean;
}

/** Returns what the page shows of an entry. */
export function viewActivity(
  { places }: { places: Pick<Places, 'describe'> },
  activity: ActivityEntry,
  currentSessionId: string,
): ActivityView {
  const { id, event, userAgent, ipAddress, country, at, sessionId } = activity;
  const device = describeDevice(userAgent);
  return {
    id,
    kind: event.kind,
    ...describeEvent(event),
    ipAddress,
    at: at.toISOString(),
    deviceKind: device.kind,
    device: device.detail,
    place: places.describe(ipAddress, country),
    isHere: sessionId === currentSessionId,
    canBeDisputed: canBeDisputed(event),
  };
}

/** False for events that took access away, or gave none: harmless, even if an attacker caused them. */
function canBeDisputed(event: StoredEvent): boolean {
  switch (event.kind) {
    case 'session-ended':
    case 'sessions-ended':
    case 'token-revoked':
    case 'tokens-revoked':
    case 'not-me':
      return false;
    case 'sign-in-failed':
      // The second factor is asked for only after a correct first one.
      return event.what === 'second-factor';
    default:
      return true;
  }
}

/** Returns the title of an event, and a further sentence or `null`. */
export function describeEvent(event: StoredEvent): { text: string; more: string | null } {
  // Another version of the application may have written a kind that this version does not know.
  const texts = textsFor(event) as ReturnType<typeof textsFor> | undefined;
  const [text, more = null] = texts ?? [event.kind];
  return { text, more };
}

function textsFor(event: StoredEvent): [text: string, more?: string] {
  switch (event.kind) {
    case 'signed-up':
      return ['Account created'];
    case 'signed-in':
      return ['Signed in'];
    case 'sign-in-failed':
      return failureTexts(event.what, event.count ?? 1);
    case 'password-changed':
      return ['Password changed'];
    case 'password-reset':
      return ['Password reset', 'With a code that was mailed to you.'];
    case 'email-changed':
      return [`E-mail changed to ${event.to}`, `It was ${event.from} before.`];
    case 'email-change-undone':
      return [`E-mail changed back to ${event.to}`];
    case 'totp-on':
      return ['Authenticator app added', 'A code is asked for at sign-in.'];
    case 'totp-off':
      return ['Authenticator app removed', 'No code is asked for at sign-in any more.'];
    case 'recovery-codes-new':
      return ['New recovery codes made', 'The old ones work no more.'];
    case 'recovery-code-used':
      return ['Recovery code used', leftText(event.left)];
    case 'passkey-added':
      return [`Passkey ${event.passkey} added`];
    case 'passkey-removed':
      return [`Passkey ${event.passkey} removed`];
    case 'connection-added':
      return [`${event.provider} connected`];
    case 'connection-removed':
      return [`${event.provider} disconnected`];
    case 'session-ended':
      return [`${event.device} signed out`];
    case 'sessions-ended':
      return [
        event.count === 1 ? '1 other device signed out' : `${event.count} other devices signed out`,
      ];
    case 'token-made':
      return [`Access token ${event.token} made`];
    case 'token-revoked':
      return [`Access token ${event.token} revoked`];
    case 'tokens-revoked':
      return [
        event.count === 1 ? '1 access token revoked' : `${event.count} access tokens revoked`,
      ];
    case 'download-made':
      return ['Your data downloaded'];
    case 'not-me':
      return ['You said “This wasn’t me”', 'Everything was signed out.'];
  }
}

function failureTexts(what: 'password' | 'second-factor', count: number): [string, string] {
  const times = count === 1 ? '' : `, ${count} times`;
  return what === 'password'
    ? [`Wrong password${times}`, 'Nobody got in.']
    : [`Wrong code${times}`, 'The step before it was right. Nobody got in.'];
}

function leftText(left: number): string {
  if (left === 0) return 'It was the last one.';
  return left === 1 ? '1 is left.' : `${left} are left.`;
}
