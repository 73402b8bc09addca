import * as z from 'zod';
import { secondFactorSchema as typedSecondFactor } from '#app/credentials/second-factor-schema.ts';
import { emailSchema, passwordSchema } from '#app/credentials/password/password-schema.ts';
import { passwordProof } from '#app/visit/proof.ts';
import type { ProvenUser } from '#app/sign-in/sign-in.server.ts';
import type { Visit } from '#app/visit/visit.ts';
import { answerOf, type Answer } from '../answer.server.ts';
import type { ApiApp } from '../api-app.ts';
import { openOperation, sessionOperation } from '../operation.server.ts';
import { fieldProblem, problem, tooManyRequestsProblem } from '../problems.server.ts';
import { confirmedSchema, nameSchema, signedInSchema, signInSchema } from '../schemas.server.ts';
import { viewCurrent } from '../views.server.ts';

const MAX_PENDING_CHARACTERS = 4096;
const MAX_TYPED_CHARACTERS = 64;

const remember = z.boolean().default(false).meta({
  description:
    'True: the session ends after two weeks without use, and after a month at the latest.',
});

const secondFactor = z
  .string()
  .max(MAX_TYPED_CHARACTERS, 'That is longer than any code here.')
  .meta({ description: 'The 6 digits of the authenticator app, or a recovery code.' });

/** Signs a client in and returns the token, once; or the pending sign-in for the second step. */
async function signIn(
  app: ApiApp,
  visit: Visit,
  proven: Pick<ProvenUser, 'userId' | 'proof' | 'remember'>,
  label: string | null,
): Promise<Answer> {
  const { userId, proof, remember } = proven;
  const details = { userId, proof, remember, redirectTo: null };
  const outcome = await app.signIn.complete(visit, details, label);
  if (outcome.state === 'second-factor') {
    const { carried, expiresAt } = app.pendingSignIns.seal(outcome.pending);
    return answerOf(signInSchema, {
      state: 'second-factor',
      pending: carried,
      expiresAt: expiresAt.toISOString(),
    });
  }
  const { token, session } = outcome.started;
  const user = await app.users.find(userId);
  if (!user) return problem(app, 'not-signed-in');
  const current = viewCurrent(app, visit, session, user);
  return answerOf(signInSchema, { state: 'signed-in', token, ...current });
}

export const login = openOperation({
  id: 'signIn',
  method: 'POST',
  path: '/api/login',
  summary: 'Sign in with a password',
  more: 'A user with an authenticator app must pass a second step, and gets no token before it. If the request carries a bearer token, its session ends with this sign-in.',
  allows: 'anybody',
  body: z.object({
    email: emailSchema,
    password: passwordSchema,
    remember,
    name: nameSchema.default(null).meta({ description: 'A name for the session.' }),
  }),
  success: { status: 200, what: 'A session, or the second step.', body: signInSchema },
  problems: ['wrong-credentials', 'too-often'],
  async run({ app, visit, body }) {
    const tried = await app.credentialChecks.password(visit, body);
    if (tried.state === 'later') return tooManyRequestsProblem(app, tried.retryAfterSeconds);
    if (tried.state === 'wrong') return problem(app, 'wrong-credentials');
    const proven = { userId: tried.userId, proof: passwordProof, remember: body.remember };
    return signIn(app, visit, proven, body.name);
  },
});

export const secondStep = openOperation({
  id: 'finishSignIn',
  method: 'POST',
  path: '/api/login/second-factor',
  summary: 'Finish signing in with a second factor',
  allows: 'anybody',
  body: z.object({
    pending: z.string().max(MAX_PENDING_CHARACTERS, 'That is none of ours.'),
    secondFactor,
    name: nameSchema.default(null).meta({ description: 'A name for the session.' }),
  }),
  success: { status: 200, what: 'A session.', body: signedInSchema },
  problems: ['sign-in-lapsed', 'too-often'],
  async run({ app, visit, body }) {
    const pending = await app.pendingSignIns.unseal(visit, body.pending);
    if (!pending || !(await app.totp.isOn(pending.userId))) {
      return problem(app, 'sign-in-lapsed');
    }
    const typed = typedSecondFactor.parse(body.secondFactor);
    const tried = await app.credentialChecks.secondFactor(visit, pending.userId, typed);
    if (tried.state === 'later') return tooManyRequestsProblem(app, tried.retryAfterSeconds);
    if (tried.state === 'wrong') return fieldProblem(app, 'secondFactor', tried.text);
    if (!(await app.pendingSignIns.use(pending))) return problem(app, 'sign-in-lapsed');
    const proof = { ...pending.proof, second: tried.second };
    return signIn(app, visit, { ...pending, proof }, body.name);
  },
});

export const confirm = sessionOperation({
  id: 'confirm',
  method: 'POST',
  path: '/api/confirm',
  summary: 'Prove again who you are',
  more: 'Needs everything that the account has: its password, and a code if there is an app. The session continues with a new token; the earlier one is no longer valid.',
  allows: 'sessions',
  body: z.object({
    password: passwordSchema.default(''),
    secondFactor: secondFactor.optional(),
  }),
  success: { status: 200, what: 'The session, with its new token.', body: confirmedSchema },
  problems: ['nothing-to-type', 'too-often'],
  async run({ app, visit, caller: { user, via }, body }) {
    const tried = await app.confirmIdentity.withFactors(visit, user, {
      password: body.password,
      secondFactor: typedSecondFactor.parse(body.secondFactor),
    });
    switch (tried.state) {
      case 'nothing-to-type':
        return problem(app, 'nothing-to-type');
      case 'later':
        return tooManyRequestsProblem(app, tried.retryAfterSeconds);
      case 'wrong':
        return fieldProblem(app, tried.field, tried.text);
      case 'right':
        return via === 'cookie' ? renewCookie(app, visit) : renewBearer(app, visit);
    }
  },
});

async function renewBearer(app: ApiApp, visit: Visit): Promise<Answer> {
  const held = await visit.session();
  const renewed = await app.browserSession.renewToken(visit, { isProven: true });
  if (!renewed || held.state !== 'live' || !held.user) return problem(app, 'not-signed-in');
  const current = viewCurrent(app, visit, renewed.session, held.user);
  return answerOf(confirmedSchema, { token: renewed.token, ...current });
}

// Sets the new token as a cookie: scripts of a page must never see it.
async function renewCookie(app: ApiApp, visit: Visit): Promise<Answer> {
  const held = await visit.session();
  const isRenewed = await app.browserSession.renew(visit, { isProven: true });
  if (!isRenewed || held.state !== 'live' || !held.user) return problem(app, 'not-signed-in');
  const proven = { ...held.session, reauthenticatedAt: visit.now };
  const current = viewCurrent(app, visit, proven, held.user);
  return answerOf(confirmedSchema, { token: null, ...current });
}
