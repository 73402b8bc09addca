import { endSession } from '#app/sign-in/sign-in.server.ts';
import { revokeToken } from '#app/tokens/access-tokens.server.ts';
import { tokenName } from '#app/tokens/token-view.server.ts';
import { answerOf, NO_CONTENT } from '../answer.server.ts';
import { operation } from '../operation.server.ts';
import { currentSessionSchema } from '../schemas.server.ts';
import { viewCaller } from '../views.server.ts';

export const whoAmI = operation({
  id: 'getCurrentSession',
  method: 'GET',
  path: '/api/session',
  summary: 'Who am I?',
  allows: { tokens: 'any' },
  success: { status: 200, what: 'The session or token that asks.', body: currentSessionSchema },
  run: ({ context, caller }) => answerOf(currentSessionSchema, viewCaller(context, caller)),
});

export const logout = operation({
  id: 'signOut',
  method: 'POST',
  path: '/api/logout',
  summary: 'Sign out',
  more: 'Ends the session that asks; a token revokes itself, whatever its scopes are.',
  allows: { tokens: 'any' },
  success: { status: 204, what: 'It is over, and its token is dead.' },
  async run({ context, caller }) {
    if (caller.by === 'token') {
      const { session } = caller;
      await revokeToken(context, { ...session, name: tokenName(session) }, session.id);
      return NO_CONTENT;
    }
    const headers = await endSession(context);
    return caller.via === 'cookie'
      ? { ...NO_CONTENT, headers: Object.fromEntries(headers) }
      : NO_CONTENT;
  },
});
