import type { z } from 'zod';
import { lastUsedAt, tokenName } from '#app/tokens/token-view.server.ts';
import { readScopes, type TokenMeta } from '#app/tokens/token-schema.ts';
import { deviceName } from '#app/devices/device-view.server.ts';
import type { User } from '#app/visit/user.ts';
import type { Visit } from '#app/visit/visit.ts';
import type { ApiApp } from './api-app.ts';
import { proofText, type SessionMeta } from '#app/visit/proof.ts';
import { describeDevice } from '#app/sessions/device.ts';
import type { Session } from '#app/sessions/index.ts';
import type { Caller } from './caller.server.ts';
import type { currentSessionSchema, listedSessionSchema } from './schemas.server.ts';

type Current = z.input<typeof currentSessionSchema>;
type Listed = z.input<typeof listedSessionSchema>;

/** Returns what the API shows of the caller. */
export function viewCaller(
  app: Pick<ApiApp, 'sessions'>,
  visit: Pick<Visit, 'now'>,
  caller: Caller,
): Current {
  return caller.by === 'session'
    ? viewCurrent(app, visit, caller.session, caller.user)
    : viewOf(caller.session, caller.user, { scopes: caller.scopes, isFresh: false });
}

/** Returns what the API shows of a session that was just started, or renewed. */
export function viewCurrent(
  { sessions }: Pick<ApiApp, 'sessions'>,
  { now }: Pick<Visit, 'now'>,
  session: Session<SessionMeta>,
  user: Pick<User, 'id' | 'email' | 'name'>,
): Current {
  return viewOf(session, user, { scopes: null, isFresh: sessions.isFresh(session, now) });
}

function viewOf(
  { id, expiresAt, reauthenticatedAt }: Session,
  user: Pick<User, 'id' | 'email' | 'name'>,
  { scopes, isFresh }: Pick<Current['session'], 'scopes' | 'isFresh'>,
): Current {
  return {
    person: { id: user.id, email: user.email, name: user.name },
    session: {
      id,
      kind: scopes ? 'token' : 'session',
      scopes,
      isFresh,
      expiresAt: expiresAt.toISOString(),
      provenAt: reauthenticatedAt.toISOString(),
    },
  };
}

/** Returns what the list shows of a signed-in device. */
export function viewDevice(
  app: Pick<ApiApp, 'places'>,
  session: Session<SessionMeta>,
  currentId: string,
): Listed {
  return {
    ...common(app, session, currentId),
    kind: 'session',
    name: deviceName(session),
    scopes: null,
    provenBy: session.meta?.proof ? proofText(session.meta.proof) : null,
    lastUsedAt: session.lastSeenAt.toISOString(),
  };
}

/** Returns what the list shows of a personal access token. */
export function toListedToken(
  app: Pick<ApiApp, 'places'>,
  token: Session<TokenMeta>,
  currentId: string,
): Listed {
  return {
    ...common(app, token, currentId),
    kind: 'token',
    name: tokenName(token),
    scopes: readScopes(token.meta),
    provenBy: null,
    lastUsedAt: lastUsedAt(token)?.toISOString() ?? null,
  };
}

function common({ places }: Pick<ApiApp, 'places'>, session: Session, currentId: string) {
  const { id, label, userAgent, ipAddress, country, createdAt, expiresAt } = session;
  return {
    id,
    isNamed: label !== null,
    isCurrent: id === currentId,
    ipAddress,
    device: describeDevice(userAgent).detail,
    place: places.describe(ipAddress, country),
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
  };
}
