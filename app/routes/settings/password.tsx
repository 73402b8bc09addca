import {
  redirect,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
  type MetaFunction,
} from '@remix-run/node';
import { Form, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import { newPasswordSchema } from '#app/credentials/password/password-schema.ts';
import { countTokens } from '#app/tokens/access-tokens.server.ts';
import { parseForm, showAgain } from '#app/http/form.server.ts';
import { requireSignedIn } from '#app/http/signed-in.server.ts';
import { finishSecurityChange } from '#app/sign-in/security-change.server.ts';
import { writeToast } from '#app/http/toast.server.ts';
import { Button } from '#app/ui/button.tsx';
import { Checkbox, Field, FormError, UsernameField, useFocusOnError } from '#app/ui/field.tsx';
import { SettingsHeading } from '#app/ui/page.tsx';

export const meta: MetaFunction = () => [
  { title: 'Password · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const formSchema = z.object({
  newPassword: newPasswordSchema,
  signOutOthers: z.literal('on').optional(),
  revokeTokens: z.literal('on').optional(),
});

export async function loader(args: LoaderFunctionArgs) {
  const { context } = args;
  const { user } = await requireSignedIn(args);
  const [hasPassword, tokens] = await Promise.all([
    context.passwords.isSet(user.id),
    countTokens(context, user.id, 1),
  ]);
  return { email: user.email, hasPassword, hasTokens: tokens > 0 };
}

export async function action(args: ActionFunctionArgs) {
  const { context, request } = args;
  const signedIn = await requireSignedIn(args);
  const { user } = signedIn;
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  const { newPassword } = form.value;
  const reason = await context.passwordRules.findObjection(newPassword, user);
  if (reason !== null) return showAgain(form.fail({ newPassword: reason }));
  await context.passwords.set(user.id, newPassword, context.now);
  await context.mailedCodes.discard(user.id, ['password-reset']);
  const { headers, count } = await finishSecurityChange(
    context,
    signedIn,
    { kind: 'password-changed' },
    {
      signOutOthers: form.value.signOutOthers === 'on',
      endTokens: form.value.revokeTokens === 'on',
    },
  );
  headers.append('Set-Cookie', writeToast({ kind: 'password-changed', count }, context.origin));
  return redirect('/settings/password', { headers });
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
