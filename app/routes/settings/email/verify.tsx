import { redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import { Link, useActionData, useLoaderData } from '@remix-run/react';
import * as z from 'zod';
import { showTooManyAttempts, parseForm, showAgain } from '#app/http/form.server.ts';
import { CodeElsewhere, CodeForm } from '#app/credentials/mailed-codes/code-form.tsx';
import { SettingsHeading } from '#app/ui/page.tsx';
import { typedCodeSchema } from '#app/credentials/mailed-codes/code-by-mail.server.ts';
import { withOthers } from '#app/http/toast.server.ts';
import { requireSignedIn } from '#app/visit/visit.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export { retryHeaders as headers } from '#app/http/form.server.ts';

export const meta = pageMeta('Check your mail', { index: false });

const formSchema = z.object({
  code: typedCodeSchema,
  signOutOthers: z.literal('on').optional(),
});

export async function loader({ context: { app, visit } }: LoaderFunctionArgs) {
  return {
    waiting: app.codeByMail.findWaiting(visit, 'email-change'),
    outboxPath: app.outbox && '/outbox',
  };
}

export async function action({ request, context: { app, visit } }: ActionFunctionArgs) {
  const signedIn = await requireSignedIn(visit);
  const { user } = signedIn;
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  const checked = await app.codeByMail.check(visit, 'email-change', form.value.code);
  switch (checked.state) {
    case 'none':
      return redirect('/settings/email');
    case 'later':
      return showTooManyAttempts(form.fail, checked.retryAfterSeconds);
    case 'wrong':
      return showAgain(form.fail({ code: checked.text }));
    case 'right': {
      // This browser asked for the code, but another user may have been signed in then.
      if (checked.userId !== user.id) return redirect('/settings/email');
      const to = checked.email;
      const from = await app.users.changeEmail(user.id, to, visit.now);
      if (from === null) {
        return showAgain(form.fail({ form: 'Somebody else uses this e-mail by now.' }));
      }
      app.codeByMail.remove(visit, 'email-change');
      // The account has this address already: this is the second of two codes that went to it.
      if (from === to) return redirect('/settings/profile');
      await app.emailChange.notifyOldAddress(visit, user, { from, to });
      const event = { kind: 'email-changed', from, to } as const;
      const count = await app.securityChanges.finish(visit, signedIn, event, {
        signOutOthers: form.value.signOutOthers === 'on',
      });
      app.toast.show(visit, withOthers('Your e-mail is changed.', count));
      return redirect('/settings/profile');
    }
  }
}

export default function VerifyNewEmail() {
  const { waiting, outboxPath } = useLoaderData<typeof loader>();
  const reply = useActionData<typeof action>()?.reply;
  return (
    <>
      <SettingsHeading title="Check your mail" />
      <div className="grid max-w-104 gap-6">
        {waiting ? (
          <CodeForm
            email={waiting.email}
            action="/settings/email/verify"
            submitText="Change e-mail"
            pendingText="Changing…"
            reply={reply}
            outboxPath={outboxPath}
            signOutOthers
          />
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
            to="/settings/email"
          >
            {waiting ? 'Use another e-mail' : 'Or start again here'}
          </Link>
        </p>
      </div>
    </>
  );
}
