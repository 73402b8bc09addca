import {
  redirect,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
  type MetaFunction,
} from '@remix-run/node';
import { Link, useActionData, useLoaderData } from '@remix-run/react';
import * as z from 'zod';
import { createConnectedAccount } from '#app/database/connected-sign-up.server.ts';
import { createAccount } from '#app/database/sign-up.server.ts';
import type { PageContext } from '#app/context.server.ts';
import { passwordProof } from '#app/visit/proof.ts';
import {
  removeWaitingCode,
  checkCode,
  typedCodeSchema,
  findWaitingCode,
} from '#app/credentials/mailed-codes/code-by-mail.server.ts';
import { showTooManyAttempts, parseForm, showAgain, type Fail } from '#app/http/form.server.ts';
import { findSignedIn } from '#app/http/signed-in.server.ts';
import {
  finishConnectedSignUp,
  signUpPayloadSchema,
  finishSignUp,
  type SignUpPayload,
} from '#app/sign-up/sign-up.server.ts';
import { CodeElsewhere, CodeForm } from '#app/credentials/mailed-codes/code-form.tsx';
import { FormPage } from '#app/ui/page.tsx';

export { retryHeaders as headers } from '#app/http/form.server.ts';

export const meta: MetaFunction = () => [
  { title: 'Check your mail · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const formSchema = z.object({ code: typedCodeSchema });

export async function loader({ request, context }: LoaderFunctionArgs) {
  if (await findSignedIn({ context })) return redirect('/');
  const pending = context.cookies.pendingConnection.read(
    request.headers.get('cookie'),
    context.now,
  );
  return {
    waiting: findWaitingCode(context, request, 'sign-up'),
    startPath: pending ? '/signup/connection' : '/signup',
    outboxPath: context.outbox && '/outbox',
  };
}

export async function action({ request, context }: ActionFunctionArgs) {
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  const tried = await checkCode(context, request, 'sign-up', form.value.code);
  switch (tried.state) {
    case 'none':
      return redirect('/signup');
    case 'later':
      return showTooManyAttempts(form.fail, tried.retryAfterSeconds);
    case 'wrong':
      return showAgain(form.fail({ code: tried.text }));
    case 'right': {
      const payload = signUpPayloadSchema.parse(tried.payload);
      const answer = await createProven(context, tried.email, payload, form.fail);
      if (answer instanceof Response) {
        answer.headers.append('Set-Cookie', removeWaitingCode(context, 'sign-up'));
      }
      return answer;
    }
  }
}

/** Makes the account of somebody who has proven that the address is theirs, and signs them in. */
async function createProven(
  context: PageContext,
  email: string,
  payload: SignUpPayload,
  fail: Fail,
) {
  if ('connection' in payload) {
    const { name, connection, ...rest } = payload;
    const account = { name, email, identity: connection };
    const made = await createConnectedAccount(context, account, context.now);
    if (made.state === 'email-taken') return taken(fail);
    return finishConnectedSignUp(context, made, { ...rest, provider: connection.provider });
  }
  const { name, passwordHash, remember, redirectTo } = payload;
  const account = { email, name, passwordHash, emailVerifiedAt: context.now };
  const userId = await createAccount(context.db, account, context.now);
  if (userId === null) return taken(fail);
  return finishSignUp(context, { userId, proof: passwordProof, remember, redirectTo });
}

// Made in another browser meanwhile; whoever is here has proven that the address is theirs.
function taken(fail: Fail) {
  return showAgain(fail({ form: 'This e-mail has an account by now. Sign in to it.' }));
}

export default function VerifyEmail() {
  const { waiting, startPath, outboxPath } = useLoaderData<typeof loader>();
  const reply = useActionData<typeof action>()?.reply;
  return (
    <FormPage title="Check your mail">
      {waiting ? (
        <CodeForm
          email={waiting.email}
          action="/signup/verify"
          submitText="Create account"
          pendingText="Creating your account…"
          reply={reply}
          outboxPath={outboxPath}
        />
      ) : (
        <CodeElsewhere>
          <p className="text-muted">
            This browser waits for no code. Go back to the one where you started.
          </p>
        </CodeElsewhere>
      )}
      <p className="text-muted">
        <Link className="font-medium text-accent underline underline-offset-4" to={startPath}>
          {waiting ? 'Use another e-mail' : 'Or start again here'}
        </Link>
      </p>
    </FormPage>
  );
}
