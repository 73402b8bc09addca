import * as z from 'zod';
import { tokenNameSchema } from '#app/tokens/token-schema.ts';
import { tokenName } from '#app/tokens/token-view.server.ts';
import { deviceName } from '#app/devices/device-view.server.ts';
import type { PageContext } from '#app/context.server.ts';
import { revokeToken, revokeTokens } from '#app/tokens/access-tokens.server.ts';
import { signOutDevice } from '#app/devices/sign-out-device.server.ts';
import { signOutOthers } from '#app/devices/devices.server.ts';
import { answerOf, NO_CONTENT, type JsonAnswer } from '../answer.server.ts';
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
  more: 'Of the person who asks, as long as they are live; sessions first, newest activity first.',
  allows: { tokens: 'sessions:read' },
  success: { status: 200, what: 'All of them.', body: sessionListSchema },
  async run({ context, caller: { user, session } }) {
    const [devices, tokens] = await Promise.all([
      context.sessions.list(user.id, context.now),
      context.tokens.list(user.id, context.now),
    ]);
    return answerOf(sessionListSchema, {
      sessions: [
        ...devices.live.map((device) => viewDevice(context, device, session.id)),
        ...tokens.live.map((token) => toListedToken(context, token, session.id)),
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
  async run({ context, caller: { user, session }, id, body: { name } }) {
    const found = await findOwn(context, user.id, id);
    if (found?.kind === 'token') {
      const named = tokenNameSchema.safeParse(name ?? '');
      if (!named.success) return fieldProblem(context, 'name', named.error.issues[0]!.message);
      await context.tokens.name(id, user.id, named.data);
    } else if (found) await context.sessions.name(id, user.id, name);
    const now = await findOwn(context, user.id, id);
    if (!now) return problem(context, 'not-found');
    return answerOf(
      listedSessionSchema,
      now.kind === 'token'
        ? toListedToken(context, now.session, session.id)
        : viewDevice(context, now.session, session.id),
    );
  },
});

export const endSessionById = operation({
  id: 'endSession',
  method: 'DELETE',
  path: '/api/sessions/{id}',
  summary: 'Sign out a device, or revoke a token',
  more: 'Another than the one that asks: a session needs a recent proof for it, a token has its scope.',
  allows: { tokens: 'sessions:manage' },
  success: { status: 204, what: 'It is over, now or since before.' },
  problems: ['not-found', 'proof-required'],
  async run({ context, caller, id }) {
    const { user, session } = caller;
    const found = await findOwn(context, user.id, id);
    if (!found) return problem(context, 'not-found');
    if (id === session.id) {
      return logout.run({ context, caller, id, body: undefined, query: undefined } as never);
    }
    const refusal = withoutProof(context, caller);
    if (refusal) return refusal;
    if (found.kind === 'token') {
      const name = tokenName(found.session);
      await revokeToken(context, { ...found.session, name }, session.id);
    } else {
      const device = deviceName(found.session);
      await signOutDevice(context, { ...found.session, device }, session.id);
    }
    return NO_CONTENT;
  },
});

export const endOtherSessions = operation({
  id: 'endOtherSessions',
  method: 'DELETE',
  path: '/api/sessions/others',
  summary: 'Sign out everywhere else',
  more: 'Access tokens stay unless they are named: whoever suspects that somebody was in the account names them. A session needs a recent proof for it.',
  allows: { tokens: 'sessions:manage' },
  query: z.object({
    tokens: z
      .enum(['keep', 'revoke'])
      .default('keep')
      .meta({ description: 'Whether access tokens go too, but for one that asks.' }),
  }),
  success: { status: 200, what: 'How many there were.', body: endedSchema },
  problems: ['proof-required'],
  async run({ context, caller, query }) {
    const refusal = withoutProof(context, caller);
    if (refusal) return refusal;
    const { user, session, by } = caller;
    const kept = by === 'session' ? session.id : null;
    const reason = 'signed-out-elsewhere';
    const sessions = await signOutOthers(context, user.id, kept, reason, session.id);
    const tokens =
      query.tokens === 'revoke' ? await revokeTokens(context, user.id, session.id, reason) : 0;
    return answerOf(endedSchema, { sessions, tokens });
  },
});

/** null: the caller may. The proof of a token was given when it was made, for just what its scopes say. */
function withoutProof(context: PageContext, caller: Caller): JsonAnswer | null {
  if (caller.by === 'token' || context.sessions.isFresh(caller.session, context.now)) return null;
  return proofRequired(context, context.sessions.timeouts.freshMs);
}

/** A session or token of this person; null: none, the same for an id of somebody else's. */
async function findOwn(context: PageContext, userId: string, id: string) {
  const session = await context.sessions.find(id, userId);
  if (session) return { kind: 'session', session } as const;
  const token = await context.tokens.find(id, userId);
  return token && ({ kind: 'token', session: token } as const);
}
