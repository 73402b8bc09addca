import { redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import { Form, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import { emailSchema } from '#app/credentials/password/password-schema.ts';
import { showTooManyAttempts, parseForm, showAgain } from '#app/http/form.server.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { Field, FormError, useFocusOnError } from '#app/ui/field.tsx';
import { Notice, SettingsHeading } from '#app/ui/page.tsx';
import { requireSignedIn } from '#app/visit/visit.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export { retryHeaders as headers } from '#app/http/form.server.ts';

export const meta = pageMeta('Change your e-mail', { index: false });

const formSchema = z.object({ newEmail: emailSchema });

export async function loader({ context: { app, visit } }: LoaderFunctionArgs) {
  const { user } = await requireSignedIn(visit);
  const { emailVerifiedAt } = await app.db.user.findUniqueOrThrow({
    where: { id: user.id },
    select: { emailVerifiedAt: true },
  });
  return {
    email: user.email,
    isVerified: emailVerifiedAt !== null,
    isPossible: app.mailer.isOn,
  };
}

export async function action({ request, context: { app, visit } }: ActionFunctionArgs) {
  const { user } = await requireSignedIn(visit);
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  if (!app.mailer.isOn) return redirect('/settings/email');
  const { newEmail } = form.value;
  const isVerifying = newEmail === user.email;
  const permit = await app.attempts.takeMail(visit, newEmail);
  if (!permit.isAllowed) return showTooManyAttempts(form.fail, permit.retryAfterSeconds);
  const isTaken = await app.users.isEmailTaken(newEmail);
  await app.codeByMail.send(visit, {
    purpose: 'email-change',
    userId: user.id,
    email: newEmail,
    payload: { name: user.name },
    // Only the mail to that address says that it is taken; the page does not reveal it.
    isDecoy: isTaken && !isVerifying,
  });
  return redirect('/settings/email/verify');
}

export default function ChangeEmail() {
  const { email, isVerified, isPossible } = useLoaderData<typeof loader>();
  const reply = useActionData<typeof action>()?.reply;
  const form = useFocusOnError(reply);
  const isPending = useNavigation().formMethod === 'POST';
  return (
    <>
      <SettingsHeading
        title="Change your e-mail"
        lead="We send a code to the new address, so that you cannot lock yourself out by a typing error. The old one is told, and can take the change back for a week."
      />
      <p className="mb-6">
        Now: <strong className="font-medium">{email}</strong>{' '}
        <span className="text-muted">{isVerified ? '(verified)' : '(not verified yet)'}</span>
      </p>
      {isPossible ? (
        <Form method="post" ref={form} noValidate className="grid max-w-104 gap-6">
          <FormError reply={reply} />
          <Field
            name="newEmail"
            label="New e-mail"
            help={isVerified ? undefined : 'Enter the present one again to verify it.'}
            type="email"
            autoComplete="email"
            inputMode="email"
            enterKeyHint="send"
            autoCapitalize="none"
            spellCheck={false}
            required
            reply={reply}
          />
          <div className="flex flex-wrap gap-3">
            <Button pending={isPending} pendingText="Sending…">
              Send a code
            </Button>
            <ButtonLink look="quiet" to="/settings/profile">
              Keep it
            </ButtonLink>
          </div>
        </Form>
      ) : (
        <Notice>
          This Latchkey cannot send mail, so an e-mail cannot be changed here. Ask whoever runs it.
        </Notice>
      )}
    </>
  );
}
