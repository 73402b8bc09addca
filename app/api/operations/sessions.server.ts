import * as z from 'zod';
import { tokenNameSchema } from '#app/tokens/token-schema.ts';
import type { Visit } from '#app/visit/visit.ts';
import { answerOf, NO_CONTENT, type JsonAnswer } from '../answer.server.ts';
import type { ApiApp } from '../api-app.ts';
import type { Caller } from '../caller.server.ts';
import { operation } from '../operation.server.ts';
import { fieldProblem, problem, proofRequired } from '../problems.server.ts';
import {
  endedSchema,
  listedSessionSchema,
  nameSchema,
  sessionListSchema,
} from '../schemas.server.ts';
import { viewDevice, toListedToken } from '../views.server.ts';
import { logout } from './current-session.server.ts';

export const listSessions = operation({
  id: 'listSessions',
  method: 'GET',
  path: '/api/sessions',
  summary: 'All sessions and tokens',
  more: 'The live sessions and tokens of the user: sessions first, newest activity first.',
  allows: { tokens: 'sessions:read' },
  success: { status: 200, what: 'All of them.', body: sessionListSchema },
  async run({ app, visit, caller: { user, session } }) {
    const [devices, tokens] = await Promise.all([
      app.sessions.list(user.id, visit.now),
      app.tokenSessions.list(user.id, visit.now),
    ]);
    return answerOf(sessionListSchema, {
      sessions: [
        ...devices.live.map((device) => viewDevice(app, device, session.id)),
        ...tokens.live.map((token) => toListedToken(app, token, session.id)),
      ],
    });
  },
});

export const nameSession = operation({
  id: 'nameSession',
  method: 'PATCH',
  path: '/api/sessions/{id}',
  summary: 'Name a session or token',
  allows: { tokens: 'sessions:manage' },
  body: z.object({ name: nameSchema }),
  success: { status: 200, what: 'The session as it is now.', body: listedSessionSchema },
  problems: ['not-found'],
  async run({ app, caller: { user, session }, id, body: { name } }) {
    const found = await findOwn(app, user.id, id);
    if (found?.kind === 'token') {
      const named = tokenNameSchema.safeParse(name ?? '');
      if (!named.success) return fieldProblem(app, 'name', named.error.issues[0]!.message);
      await app.tokenSessions.name(id, user.id, named.data);
    } else if (found) await app.sessions.name(id, user.id, name);
    const now = await findOwn(app, user.id, id);
    if (!now) return problem(app, 'not-found');
    return answerOf(
      listedSessionSchema,
      now.kind === 'token'
        ? toListedToken(app, now.session, session.id)
        : viewDevice(app, now.session, session.id),
    );
  },
});

export const endSessionById = operation({
  id: 'endSession',
  method: 'DELETE',
  path: '/api/sessions/{id}',
  summary: 'Sign out a device, or revoke a token',
  more: 'To end another session than the one of the request, a session needs a recent proof; a token needs the scope.',
  allows: { tokens: 'sessions:manage' },
  success: { status: 204, what: 'It has ended, now or before.' },
  problems: ['not-found', 'proof-required'],
  async run(call) {
    const { app, visit, caller, id } = call;
    const { user, session } = caller;
    const found = await findOwn(app, user.id, id);
    if (!found) return problem(app, 'not-found');
    if (id === session.id) {
      return logout.run(call as never);
    }
    const refusal = refuseWithoutProof(app, visit, caller);
    if (refusal) return refusal;
    if (found.kind === 'token') {
      await app.accessTokens.revoke(visit, found.session, session.id);
    } else {
      await app.devices.signOut(visit, found.session, session.id);
    }
    return NO_CONTENT;
  },
});

export const endOtherSessions = operation({
  id: 'endOtherSessions',
  method: 'DELETE',
  path: '/api/sessions/others',
  summary: 'Sign out everywhere else',
  more: 'Access tokens stay valid unless the query says otherwise: revoke them too if an attacker may have been in the account. A session needs a recent proof.',
  allows: { tokens: 'sessions:manage' },
  query: z.object({
    tokens: z
      .enum(['keep', 'revoke'])
      .default('keep')
      .meta({ description: '"revoke" revokes access tokens too, except the one of the request.' }),
  }),
  success: { status: 200, what: 'How many there were.', body: endedSchema },
  problems: ['proof-required'],
  async run({ app, visit, caller, query }) {
    const refusal = refuseWithoutProof(app, visit, caller);
    if (refusal) return refusal;
    const { user, session, by } = caller;
    const kept = by === 'session' ? session.id : null;
    const reason = 'signed-out-elsewhere';
    const sessions = await app.devices.signOutOthers(visit, user.id, kept, reason, session.id);
    const tokens =
      query.tokens === 'revoke'
        ? await app.accessTokens.revokeAll(visit, user.id, session.id, reason)
        : 0;
    return answerOf(endedSchema, { sessions, tokens });
  },
});

/**
 * Returns a refusal; `null` if the caller may go on. A token needs no proof: its user gave one when they
 * created it with its scopes.
 */
function refuseWithoutProof(app: ApiApp, { now }: Visit, caller: Caller): JsonAnswer | null {
  if (caller.by === 'token' || app.sessions.isFresh(caller.session, now)) return null;
  return proofRequired(app, app.sessions.timeouts.freshMs);
}

/** Returns a session or token of this user; `null` for an unknown id, or another user's. */
async function findOwn(app: ApiApp, userId: string, id: string) {
  const session = await app.sessions.find(id, userId);
  if (session) return { kind: 'session', session } as const;
  const token = await app.tokenSessions.find(id, userId);
  return token && ({ kind: 'token', session: token } as const);
}
