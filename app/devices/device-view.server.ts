import * as z from 'zod';
import type { Places } from '#app/network/places.server.ts';
import type { User } from '#app/visit/user.ts';
import { proofText, type SessionMeta } from '#app/visit/proof.ts';
import { describeDevice, type DeviceKind } from '#app/sessions/device.ts';
import { lifetimeEndOf, type EndReason, type Session, type Sessions } from '#app/sessions/index.ts';

/** A session as its user sees it on the page: without token and hash. */
export interface SessionView {
  id: string;
  kind: DeviceKind;
  /** See {@link deviceName}. */
  name: string;
  /** The name that the user gave it; `null` if there is none. */
  label: string | null;
  /** "Firefox 131 on Windows". */
  detail: string;
  place: string;
  ipAddress: string;
  createdAt: string;
  /** "password and code"; `null` if that was not recorded. */
  provenBy: string | null;
  lastSeenAt: string;
  expiresAt: string;
  /** True if using the session moves `expiresAt`. */
  endsWhenUnused: boolean;
  isCurrent: boolean;
  /** `null` while it is live. */
  ended: { at: string; reason: EndReason } | null;
}

interface ViewOptions {
  places: Pick<Places, 'describe'>;
  sessions: Pick<Sessions<SessionMeta, User>, 'endingOf' | 'timeouts'>;
  now: Date;
}

/** Returns what the page shows of a session. */
export function viewDevice(
  { places, sessions, now }: ViewOptions,
  session: Session<SessionMeta>,
  currentId: string,
): SessionView {
  const device = describeDevice(session.userAgent);
  const ending = sessions.endingOf(session, now);
  return {
    id: session.id,
    kind: device.kind,
    name: deviceName(session),
    label: session.label,
    detail: device.detail,
    place: places.describe(session.ipAddress, session.country),
    ipAddress: session.ipAddress,
    createdAt: session.createdAt.toISOString(),
    provenBy: session.meta?.proof ? proofText(session.meta.proof) : null,
    lastSeenAt: session.lastSeenAt.toISOString(),
    expiresAt: session.expiresAt.toISOString(),
    endsWhenUnused: session.expiresAt < lifetimeEndOf(session, sessions.timeouts),
    isCurrent: session.id === currentId,
    ended: ending && { at: ending.at.toISOString(), reason: ending.reason },
  };
}

/** Returns the name that the user gave a session, else that of its application, else of its device. */
export function deviceName(session: Pick<Session, 'label' | 'userAgent' | 'meta'>): string {
  const meta = session.meta as SessionMeta | null;
  return session.label ?? meta?.application ?? describeDevice(session.userAgent).name;
}

const MAX_DEVICE_NAME_CHARACTERS = 40;

/** A name for a device, 1 to 40 characters on one line; `null` if it is empty or blank. */
export const deviceNameSchema = z
  .string()
  .trim()
  .refine((name) => [...name].length <= MAX_DEVICE_NAME_CHARACTERS, {
    error: `Use at most ${MAX_DEVICE_NAME_CHARACTERS} characters.`,
  })
  .regex(/^\P{Cc}*$/u, 'Leave out line breaks and other control characters.')
  .optional()
  .transform((name) => (name === undefined || name === '' ? null : name));
