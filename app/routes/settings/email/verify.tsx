import {
  redirect,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
  type MetaFunction,
} from '@remix-run/node';
import { Link, useActionData, useLoaderData } from '@remix-run/react';
import * as z from 'zod';
import { changeEmail } from '#app/database/email-change.server.ts';
import {
  removeWaitingCode,
  checkCode,
  typedCodeSchema,
  findWaitingCode,
} from '#app/credentials/mailed-codes/code-by-mail.server.ts';
import { tellOldAddress } from '#app/account/email-change.server.ts';
import { finishSecurityChange } from '#app/sign-in/security-change.server.ts';
import { showTooManyAttempts, parseForm, showAgain } from '#app/http/form.server.ts';
import { requireSignedIn } from '#app/http/signed-in.server.ts';
import { writeToast } from '#app/http/toast.server.ts';
import { CodeElsewhere, CodeForm } from '#app/credentials/mailed-codes/code-form.tsx';
import { SettingsHeading } from '#app/ui/page.tsx';

export { retryHeaders as headers } from '#app/http/form.server.ts';

export const meta: MetaFunction = () => [
  { title: 'Check your mail · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const formSchema = z.object({
  code: typedCodeSchema,
  signOutOthers: z.literal('on').optional(),
});

export async function loader({ context, request }: LoaderFunctionArgs) {
  return {
    waiting: findWaitingCode(context, request, 'email-change'),
    outboxPath: context.outbox && '/outbox',
  };
}

export async function action(args: ActionFunctionArgs) {
  const { context, request } = args;
  const signedIn = await requireSignedIn(args);
  const { user } = signedIn;
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  const tried = await checkCode(context, request, 'email-change', form.value.code);
  switch (tried.state) {
    case 'none':
      return redirect('/settings/email');
    case 'later':
      return showTooManyAttempts(form.fail, tried.retryAfterSeconds);
    case 'wrong':
      return showAgain(form.fail({ code: tried.text }));
    case 'right': {
      // The code was asked for by this browser; by whom it was signed in to then is another matter.
      if (tried.userId !== user.id) return redirect('/settings/email');
      const to = tried.email;
      const from = await changeEmail(context.db, user.id, to, context.now);
      if (from === null) {
        return showAgain(form.fail({ form: 'Somebody else uses this e-mail by now.' }));
      }
      // Two codes went to one address, and this is the second.
      if (from === to) {
        const headers = { 'Set-Cookie': removeWaitingCode(context, 'email-change') };
        return redirect('/settings/profile', { headers });
      }
      await tellOldAddress(context, user, { from, to });
      const { headers, count } = await finishSecurityChange(
        context,
        signedIn,
        { kind: 'email-changed', from, to },
        { signOutOthers: form.value.signOutOthers === 'on' },
      );
      headers.append('Set-Cookie', removeWaitingCode(context, 'email-change'));
      headers.append('Set-Cookie', writeToast({ kind: 'email-changed', count }, context.origin));
      return redirect('/settings/profile', { headers });
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
