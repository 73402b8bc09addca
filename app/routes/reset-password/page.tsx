import {
  redirect,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
  type MetaFunction,
} from '@remix-run/node';
import { Link, useActionData, useLoaderData } from '@remix-run/react';
import * as z from 'zod';
import {
  removeWaitingCode,
  checkCode,
  typedCodeSchema,
  findWaitingCode,
} from '#app/credentials/mailed-codes/code-by-mail.server.ts';
import { showTooManyAttempts, parseForm, showAgain } from '#app/http/form.server.ts';
import { CodeElsewhere, CodeForm } from '#app/credentials/mailed-codes/code-form.tsx';
import { FormPage } from '#app/ui/page.tsx';

export { retryHeaders as headers } from '#app/http/form.server.ts';

export const meta: MetaFunction = () => [
  { title: 'Check your mail · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const formSchema = z.object({ code: typedCodeSchema });

export function loader({ request, context }: LoaderFunctionArgs) {
  return {
    waiting: findWaitingCode(context, request, 'password-reset'),
    outboxPath: context.outbox && '/outbox',
  };
}

export async function action({ request, context }: ActionFunctionArgs) {
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  const tried = await checkCode(context, request, 'password-reset', form.value.code);
  switch (tried.state) {
    case 'none':
      return redirect('/forgot-password');
    case 'later':
      return showTooManyAttempts(form.fail, tried.retryAfterSeconds);
    case 'wrong':
      return showAgain(form.fail({ code: tried.text }));
    case 'right': {
      const reset = {
        userId: String(tried.userId),
        email: tried.email,
        codeId: tried.codeId,
        provenAt: context.now.getTime(),
      };
      const headers = new Headers({ 'Set-Cookie': removeWaitingCode(context, 'password-reset') });
      headers.append('Set-Cookie', context.cookies.passwordReset.write(reset, context.now));
      return redirect('/reset-password/new', { headers });
    }
  }
}

export default function ResetPassword() {
  const { waiting, outboxPath } = useLoaderData<typeof loader>();
  const reply = useActionData<typeof action>()?.reply;
  return (
    <FormPage title="Check your mail">
      {waiting ? (
        <>
          <CodeForm
            email={waiting.email}
            action="/reset-password"
            submitText="Go on"
            pendingText="Checking…"
            reply={reply}
            outboxPath={outboxPath}
          />
          <p className="text-small text-muted">
            If there is no account with this e-mail, no mail is sent.
          </p>
        </>
      ) : (
        <CodeElsewhere>
          <p className="text-muted">
            This browser waits for no code. Go back to the one where you started.
          </p>
        </CodeElsewhere>
      )}
      <p className="text-muted">
        <Link
          className="font-medium text-accent underline underline-offset-4"
          to="/forgot-password"
        >
          {waiting ? 'Use another e-mail' : 'Or start again here'}
        </Link>
      </p>
    </FormPage>
  );
}
