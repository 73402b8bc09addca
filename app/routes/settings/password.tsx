import { redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import { Form, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import { newPasswordSchema } from '#app/credentials/password/password-schema.ts';
import { parseForm, showAgain } from '#app/http/form.server.ts';
import { Button } from '#app/ui/button.tsx';
import { Checkbox, Field, FormError, UsernameField, useFocusOnError } from '#app/ui/field.tsx';
import { SettingsHeading } from '#app/ui/page.tsx';
import { withOthers } from '#app/http/toast.server.ts';
import { requireSignedIn } from '#app/visit/visit.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Password', { index: false });

const formSchema = z.object({
  newPassword: newPasswordSchema,
  signOutOthers: z.literal('on').optional(),
  revokeTokens: z.literal('on').optional(),
});

export async function loader({ context: { app, visit } }: LoaderFunctionArgs) {
  const { user } = await requireSignedIn(visit);
  const [hasPassword, tokens] = await Promise.all([
    app.passwords.isSet(user.id),
    app.accessTokens.count(visit, user.id, 1),
  ]);
  return { email: user.email, hasPassword, hasTokens: tokens > 0 };
}

export async function action({ request, context: { app, visit } }: ActionFunctionArgs) {
  const signedIn = await requireSignedIn(visit);
  const { user } = signedIn;
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  const { newPassword, signOutOthers, revokeTokens } = form.value;
  const reason = await app.passwordRules.findObjection(newPassword, user);
  if (reason !== null) return showAgain(form.fail({ newPassword: reason }));
  await app.passwords.set(user.id, newPassword, visit.now);
  await app.mailedCodes.discard(user.id, ['password-reset']);
  const event = { kind: 'password-changed' } as const;
  const count = await app.securityChanges.finish(visit, signedIn, event, {
    signOutOthers: signOutOthers === 'on',
    endTokens: revokeTokens === 'on',
  });
  app.toast.show(visit, withOthers('Your password is changed.', count));
  return redirect('/settings/password');
}

export default function ChangePassword() {
  const { email, hasPassword, hasTokens } = useLoaderData<typeof loader>();
  const reply = useActionData<typeof action>()?.reply;
  const form = useFocusOnError(reply);
  const isPending = useNavigation().formAction === '/settings/password';
  return (
    <>
      <SettingsHeading
        title="Password"
        lead={
          hasPassword
            ? 'Anyone who knew the old one can no longer sign in with it.'
            : 'Your account has none yet. With one you can also sign in by e-mail and password.'
        }
      />
      <Form method="post" ref={form} noValidate className="grid max-w-104 gap-6">
        <FormError reply={reply} />
        <UsernameField email={email} />
        <Field
          name="newPassword"
          label="New password"
          help="At least 8 characters, of any kind. A few words in a row are easy to remember."
          type="password"
          autoComplete="new-password"
          enterKeyHint="go"
          required
          reply={reply}
        />
        <Checkbox
          name="signOutOthers"
          label="Sign out everywhere else"
          help="Every other device has to sign in again, with the new password."
          defaultChecked
          reply={reply}
        />
        {hasTokens && (
          <Checkbox
            name="revokeTokens"
            label="Revoke access tokens"
            help="Who knew the old password may have made one. Your programs need new ones then."
            defaultChecked
            reply={reply}
          />
        )}
        <div>
          <Button pending={isPending} pendingText="Saving your password…">
            {hasPassword ? 'Change password' : 'Set password'}
          </Button>
        </div>
      </Form>
    </>
  );
}
