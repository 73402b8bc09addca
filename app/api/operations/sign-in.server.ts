import * as z from 'zod';
import type { PageContext } from '#app/context.server.ts';
import { secondFactorSchema as typedSecondFactor } from '#app/credentials/second-factor-schema.ts';
import { emailSchema, passwordSchema } from '#app/credentials/password/password-schema.ts';
import { passwordProof } from '#app/visit/proof.ts';
import { confirmWithFactors } from '#app/sign-in/confirm-identity.server.ts';
import { checkPassword } from '#app/sign-in/check-credentials.server.ts';
import {
  sealPendingSignIn,
  unsealPendingSignIn,
  usePendingSignIn,
} from '#app/sign-in/pending-sign-in.server.ts';
import { checkSecondFactor } from '#app/sign-in/second-factor.server.ts';
import {
  completeSignIn,
  renewSession,
  renewToken,
  type ProvenUser,
} from '#app/sign-in/sign-in.server.ts';
import { answerOf, type Answer } from '../answer.server.ts';
import { openOperation, sessionOperation } from '../operation.server.ts';
import { fieldProblem, problem, tooManyRequestsProblem } from '../problems.server.ts';
import { confirmedSchema, nameSchema, signedInSchema, signInSchema } from '../schemas.server.ts';
import { viewCurrent } from '../views.server.ts';

const MAX_PENDING_CHARACTERS = 4096;
const MAX_TYPED_CHARACTERS = 64;

const remember = z
  .boolean()
  .default(false)
  .meta({ description: 'True: the session may rest for two weeks, and last for a month.' });

const secondFactor = z
  .string()
  .max(MAX_TYPED_CHARACTERS, 'That is longer than any code here.')
  .meta({ description: 'The 6 digits of the authenticator app, or a recovery code.' });

/** Brings a program through the door, and hands out the token, once; or what the second step takes. */
async function signIn(
  context: PageContext,
  proven: Pick<ProvenUser, 'userId' | 'proof' | 'remember'>,
  label: string | null,
): Promise<Answer> {
  const entered = await completeSignIn(context, { ...proven, redirectTo: null }, label);
  if (entered.state === 'second-factor') {
    const { carried, expiresAt } = sealPendingSignIn(context, entered.pending);
    return answerOf(signInSchema, {
      state: 'second-factor',
      pending: carried,
      expiresAt: expiresAt.toISOString(),
    });
  }
  const { token, session } = entered.started;
  const user = await context.db.user.findUniqueOrThrow({
    where: { id: proven.userId },
    select: { id: true, email: true, name: true },
  });
  const current = viewCurrent(context, session, user);
  return answerOf(signInSchema, { state: 'signed-in', token, ...current });
}

export const login = openOperation({
  id: 'signIn',
  method: 'POST',
  path: '/api/login',
  summary: 'Sign in with a password',
  more: 'Whoever has an authenticator app is asked for a second step, and has no token until then. A bearer token that is sent along is that of the session which ends with this one.',
  allows: 'anybody',
  body: z.object({
    email: emailSchema,
    password: passwordSchema,
    remember,
    name: nameSchema.default(null).meta({ description: 'What the session is to be called.' }),
  }),
  success: { status: 200, what: 'A session, or the second step.', body: signInSchema },
  problems: ['wrong-credentials', 'too-often'],
  async run({ context, body }) {
    const tried = await checkPassword(context, body);
    if (tried.state === 'later') return tooManyRequestsProblem(context, tried.retryAfterSeconds);
    if (tried.state === 'wrong') return problem(context, 'wrong-credentials');
    const proven = { userId: tried.userId, proof: passwordProof, remember: body.remember };
    return signIn(context, proven, body.name);
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
    name: nameSchema.default(null).meta({ description: 'What the session is to be called.' }),
  }),
  success: { status: 200, what: 'A session.', body: signedInSchema },
  problems: ['sign-in-lapsed', 'too-often'],
  async run({ context, body }) {
    const pending = await unsealPendingSignIn(context, body.pending);
    if (!pending || !(await context.totp.isOn(pending.userId))) {
      return problem(context, 'sign-in-lapsed');
    }
    const typed = typedSecondFactor.parse(body.secondFactor);
    const tried = await checkSecondFactor(context, pending.userId, typed);
    if (tried.state === 'later') return tooManyRequestsProblem(context, tried.retryAfterSeconds);
    if (tried.state === 'wrong') return fieldProblem(context, 'secondFactor', tried.text);
    if (!(await usePendingSignIn(context, pending))) return problem(context, 'sign-in-lapsed');
    const proof = { ...pending.proof, second: tried.second };
    return signIn(context, { ...pending, proof }, body.name);
  },
});

export const confirm = sessionOperation({
  id: 'confirm',
  method: 'POST',
  path: '/api/confirm',
  summary: 'Prove again who you are',
  more: 'With all that the account has: its password, and a code if there is an app. The session goes on under a new token; the one before is dead.',
  allows: 'sessions',
  body: z.object({
    password: passwordSchema.default(''),
    secondFactor: secondFactor.optional(),
  }),
  success: { status: 200, what: 'The session, with its new token.', body: confirmedSchema },
  problems: ['nothing-to-type', 'too-often'],
  async run({ context, caller: { user, via }, body }) {
    const tried = await confirmWithFactors(context, user, {
      password: body.password,
      secondFactor: typedSecondFactor.parse(body.secondFactor),
    });
    switch (tried.state) {
      case 'nothing-to-type':
        return problem(context, 'nothing-to-type');
      case 'later':
        return tooManyRequestsProblem(context, tried.retryAfterSeconds);
      case 'wrong':
        return fieldProblem(context, tried.field, tried.text);
      case 'right':
        return via === 'cookie' ? renewCookie(context) : renewBearer(context);
    }
  },
});

async function renewBearer(context: PageContext): Promise<Answer> {
  const held = await context.session();
  const renewed = await renewToken(context, { isProven: true });
  if (!renewed || held.state !== 'live' || !held.user) return problem(context, 'not-signed-in');
  const current = viewCurrent(context, renewed.session, held.user);
  return answerOf(confirmedSchema, { token: renewed.token, ...current });
}

// Scripts of a page never see the token of the cookie: the browser is given the new one.
async function renewCookie(context: PageContext): Promise<Answer> {
  const held = await context.session();
  const cookie = await renewSession(context, { isProven: true });
  if (cookie === null || held.state !== 'live' || !held.user) {
    return problem(context, 'not-signed-in');
  }
  const proven = { ...held.session, reauthenticatedAt: context.now };
  const current = viewCurrent(context, proven, held.user);
  return answerOf(confirmedSchema, { token: null, ...current }, { 'Set-Cookie': cookie });
}
