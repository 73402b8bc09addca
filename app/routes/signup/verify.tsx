import { redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import { Link, useActionData, useLoaderData } from '@remix-run/react';
import * as z from 'zod';
import type { PageContext } from '#app/context.server.ts';
import { passwordProof } from '#app/visit/proof.ts';
import { typedCodeSchema } from '#app/credentials/mailed-codes/code-by-mail.server.ts';
import { showTooManyAttempts, parseForm, showAgain, type Fail } from '#app/http/form.server.ts';
import { findSignedIn } from '#app/visit/visit.ts';
import { signUpPayloadSchema, type SignUpPayload } from '#app/sign-up/sign-up.server.ts';
import { CodeElsewhere, CodeForm } from '#app/credentials/mailed-codes/code-form.tsx';
import { FormPage } from '#app/ui/page.tsx';
import { pageMeta } from '#app/ui/page-meta.ts';

export { retryHeaders as headers } from '#app/http/form.server.ts';

export const meta = pageMeta('Check your mail', { index: false });

const formSchema = z.object({ code: typedCodeSchema });

export async function loader({ context: { app, visit } }: LoaderFunctionArgs) {
  if (await findSignedIn(visit)) return redirect('/');
  const pending = app.pendingConnections.read(visit);
  return {
    waiting: app.codeByMail.findWaiting(visit, 'sign-up'),
    startPath: pending ? '/signup/connection' : '/signup',
    outboxPath: app.outbox && '/outbox',
  };
}

export async function action({ request, context: { app, visit } }: ActionFunctionArgs) {
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  const checked = await app.codeByMail.check(visit, 'sign-up', form.value.code);
  switch (checked.state) {
    case 'none':
      return redirect('/signup');
    case 'later':
      return showTooManyAttempts(form.fail, checked.retryAfterSeconds);
    case 'wrong':
      return showAgain(form.fail({ code: checked.text }));
    case 'right': {
      const payload = signUpPayloadSchema.parse(checked.payload);
      const answer = await createVerifiedAccount({ app, visit }, checked.email, payload, form.fail);
      if (answer instanceof Response) app.codeByMail.remove(visit, 'sign-up');
      return answer;
    }
  }
}

/** Creates the account of a user who has proven that the address is theirs, and signs them in. */
async function createVerifiedAccount(
  { app, visit }: Pick<PageContext, 'app' | 'visit'>,
  email: string,
  payload: SignUpPayload,
  fail: Fail,
) {
  if ('connection' in payload) {
    const { name, connection, ...rest } = payload;
    const columns = app.connections.toConnectionColumns(connection, visit.now);
    const user = { name, email, connection: columns };
    const created = await app.users.createConnected(user, visit.now);
    if (created.state === 'email-taken') return showEmailTaken(fail);
    const { provider } = connection;
    return app.signUp.finishWithProvider(visit, created, { ...rest, provider });
  }
  const { name, passwordHash, remember, redirectTo } = payload;
  const account = { email, name, passwordHash, emailVerifiedAt: visit.now };
  const userId = await app.users.create(account, visit.now);
  if (userId === null) return showEmailTaken(fail);
  return app.signUp.finish(visit, { userId, proof: passwordProof, remember, redirectTo });
}

// The account was created in another browser in between. The user may know: they own the address.
function showEmailTaken(fail: Fail) {
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
