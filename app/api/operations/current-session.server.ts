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
  run: ({ app, visit, caller }) => answerOf(currentSessionSchema, viewCaller(app, visit, caller)),
});

export const logout = operation({
  id: 'signOut',
  method: 'POST',
  path: '/api/logout',
  summary: 'Sign out',
  more: 'Ends the session that asks; a token revokes itself, whatever its scopes are.',
  allows: { tokens: 'any' },
  success: { status: 204, what: 'It is over, and its token is dead.' },
  async run({ app, visit, caller }) {
    if (caller.by === 'token') {
      await app.accessTokens.revoke(visit, caller.session, caller.session.id);
    } else if (caller.via === 'cookie') {
      await app.browserSession.end(visit);
    } else {
      await app.browserSession.endToken(visit);
    }
    return NO_CONTENT;
  },
});
