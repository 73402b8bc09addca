import {
  redirect,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
  type MetaFunction,
} from '@remix-run/node';
import { Link, useActionData, useLoaderData } from '@remix-run/react';
import { z } from 'zod';
import { createAccount } from '#app/account/sign-up.server.ts';
import {
  stopWaiting,
  tryCode,
  typedCodeSchema,
  waitingFor,
} from '#app/http/code-by-mail.server.ts';
import { comeBackLater, parseForm, tryAgain } from '#app/http/form.server.ts';
import { findSession } from '#app/http/guards.server.ts';
import { welcome } from '#app/http/sign-up.server.ts';
import { CodeElsewhere, CodeForm } from '#app/ui/code-form.tsx';
import { FormPage } from '#app/ui/page.tsx';

export { retryHeaders as headers } from '#app/http/form.server.ts';

export const meta: MetaFunction = () => [
  { title: 'Check your mail · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const formSchema = z.object({ code: typedCodeSchema });

/** What was typed at the sign-up, sealed until the code came back. */
const payloadSchema = z.object({
  name: z.string(),
  passwordHash: z.string(),
  remember: z.boolean(),
  redirectTo: z.string().optional(),
});

export async function loader({ request, context }: LoaderFunctionArgs) {
  if (await findSession({ context })) return redirect('/');
  return {
    waiting: waitingFor(context, request, 'sign-up'),
    outboxPath: context.outbox && '/outbox',
  };
}

export async function action({ request, context }: ActionFunctionArgs) {
  const form = await parseForm(request, formSchema);
  if (!form.ok) return tryAgain(form.reply);
  const tried = await tryCode(context, request, 'sign-up', form.value.code);
  switch (tried.state) {
    case 'none':
      return redirect('/signup');
    case 'later':
      return comeBackLater(form.fail, tried.retryAfterSeconds);
    case 'wrong':
      return tryAgain(form.fail({ code: tried.text }));
    case 'right': {
      const { name, passwordHash, remember, redirectTo } = payloadSchema.parse(tried.payload);
      const account = { email: tried.email, name, passwordHash, emailVerifiedAt: context.now };
      const userId = await createAccount(context.db, account, context.now);
      if (userId === null) {
        // Made in another browser meanwhile; whoever is here has proven that the address is theirs.
        return tryAgain(form.fail({ form: 'This e-mail has an account by now. Sign in to it.' }));
      }
      const answer = await welcome(context, { userId, remember, redirectTo });
      answer.headers.append('Set-Cookie', stopWaiting(context, 'sign-up'));
      return answer;
    }
  }
}

export default function VerifyEmail() {
  const { waiting, outboxPath } = useLoaderData<typeof loader>();
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
        <Link className="font-medium text-accent underline underline-offset-4" to="/signup">
          {waiting ? 'Use another e-mail' : 'Or start again here'}
        </Link>
      </p>
    </FormPage>
  );
}
