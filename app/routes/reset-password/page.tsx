import { redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import { Link, useActionData, useLoaderData } from '@remix-run/react';
import * as z from 'zod';
import { typedCodeSchema } from '#app/credentials/mailed-codes/code-by-mail.server.ts';
import { showTooManyAttempts, parseForm, showAgain } from '#app/http/form.server.ts';
import { CodeElsewhere, CodeForm } from '#app/credentials/mailed-codes/code-form.tsx';
import { FormPage } from '#app/ui/page.tsx';
import { pageMeta } from '#app/ui/page-meta.ts';

export { retryHeaders as headers } from '#app/http/form.server.ts';

export const meta = pageMeta('Check your mail', { index: false });

const formSchema = z.object({ code: typedCodeSchema });

export function loader({ context: { app, visit } }: LoaderFunctionArgs) {
  return {
    waiting: app.codeByMail.findWaiting(visit, 'password-reset'),
    outboxPath: app.outbox && '/outbox',
  };
}

export async function action({ request, context: { app, visit } }: ActionFunctionArgs) {
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  const checked = await app.codeByMail.check(visit, 'password-reset', form.value.code);
  switch (checked.state) {
    case 'none':
      return redirect('/forgot-password');
    case 'later':
      return showTooManyAttempts(form.fail, checked.retryAfterSeconds);
    case 'wrong':
      return showAgain(form.fail({ code: checked.text }));
    case 'right': {
      const pending = {
        userId: String(checked.userId),
        email: checked.email,
        codeId: checked.codeId,
        provenAt: visit.now.getTime(),
      };
      app.codeByMail.remove(visit, 'password-reset');
      app.passwordReset.allow(visit, pending);
      return redirect('/reset-password/new');
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
