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
  success: {
    status: 200,
    what: 'The session or token of the request.',
    body: currentSessionSchema,
  },
  run: ({ app, visit, caller }) => answerOf(currentSessionSchema, viewCaller(app, visit, caller)),
});

export const logout = operation({
  id: 'signOut',
  method: 'POST',
  path: '/api/logout',
  summary: 'Sign out',
  more: 'Ends the session of the request. A personal access token revokes itself, whatever its scopes are.',
  allows: { tokens: 'any' },
  success: { status: 204, what: 'The session has ended, and its token is no longer valid.' },
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
