import * as z from 'zod';
import type { Places } from '#app/network/places.server.ts';
import type { User } from '#app/visit/user.ts';
import { endTexts } from './end-reasons.ts';
import { proofText, type SessionMeta } from '#app/visit/proof.ts';
import { describeDevice, type DeviceKind } from '#app/sessions/device.ts';
import { lifetimeEndOf, type Session, type Sessions } from '#app/sessions/index.ts';

/** A session as its owner sees it on the page: no token, no hash. */
interface SessionView {
  id: string;
  kind: DeviceKind;
  /** The name it was given, the application that it is of, or the guess. */
  name: string;
  /** The name it was given; null when it goes by the guess. */
  label: string | null;
  /** "Firefox 131 on Windows". */
  detail: string;
  place: string;
  ipAddress: string;
  createdAt: string;
  /** "password and code"; null where that was not written down. */
  provenBy: string | null;
  lastSeenAt: string;
  expiresAt: string;
  /** True when it ends then only if it is not used before. */
  endsWhenUnused: boolean;
  isCurrent: boolean;
  /** null while it is live. */
  ended: { at: string; how: string } | null;
}

interface ViewOptions {
  places: Pick<Places, 'describe'>;
  sessions: Pick<Sessions<SessionMeta, User>, 'endingOf' | 'timeouts'>;
  now: Date;
}

/** What the page shows of a session. */
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
    ended: ending && { at: ending.at.toISOString(), how: endTexts(ending.reason).inList },
  };
}

/** What a session goes by: the name it was given, the application that it is of, or the guess of the device. */
export function deviceName(session: Pick<Session, 'label' | 'userAgent' | 'meta'>): string {
  const meta = session.meta as SessionMeta | null;
  return session.label ?? meta?.application ?? describeDevice(session.userAgent).name;
}

const MAX_DEVICE_NAME_CHARACTERS = 40;

/** A name for a device, 1 to 40 characters on one line; empty or blank: none, which is null. */
export const deviceNameSchema = z
  .string()
  .trim()
  .refine((name) => [...name].length <= MAX_DEVICE_NAME_CHARACTERS, {
    error: `Use at most ${MAX_DEVICE_NAME_CHARACTERS} characters.`,
  })
  .regex(/^\P{Cc}*$/u, 'Leave out line breaks and other control characters.')
  .optional()
  .transform((name) => (name === undefined || name === '' ? null : name));
