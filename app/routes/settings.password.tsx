import {
  redirect,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
  type MetaFunction,
} from '@remix-run/node';
import { Form, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import { z } from 'zod';
import { newPasswordSchema, passwordSchema } from '#app/credentials/password-schema.ts';
import { comeBackLater, parseForm, tryAgain } from '#app/http/form.server.ts';
import { requireSession } from '#app/http/guards.server.ts';
import { takeTry } from '#app/http/try.server.ts';
import { loginPathFor } from '#app/http/redirect-to.server.ts';
import { renewSession } from '#app/http/sign-in.server.ts';
import { writeToast } from '#app/http/toast-cookie.server.ts';
import { Button } from '#app/ui/button.tsx';
import { Checkbox, Field, FormError, UsernameField, useFocusOnError } from '#app/ui/field.tsx';
import { SettingsHeading } from '#app/ui/page.tsx';

export { retryHeaders as headers } from '#app/http/form.server.ts';

export const meta: MetaFunction = () => [
  { title: 'Password · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const formSchema = z.object({
  currentPassword: passwordSchema,
  newPassword: newPasswordSchema,
  signOutOthers: z.literal('on').optional(),
});

export async function loader(args: LoaderFunctionArgs) {
  const { person } = await requireSession(args);
  return { email: person.email };
}

export async function action(args: ActionFunctionArgs) {
  const { context, request } = args;
  const { person, session } = await requireSession(args);
  const form = await parseForm(request, formSchema);
  if (!form.ok) return tryAgain(form.reply);
  const { currentPassword, newPassword, signOutOthers } = form.value;
  const leave = await takeTry(context, 'password', { email: person.email });
  if (!leave.isGiven) return comeBackLater(form.fail, leave.retryAfterSeconds);
  if (!(await context.passwords.confirm(person.id, currentPassword))) {
    return tryAgain(form.fail({ currentPassword: 'This is not your current password.' }));
  }
  await leave.giveBack();
  const cookie = await renewSession(context);
  if (cookie === null) return redirect(loginPathFor(request, context.origin));
  await context.passwords.set(person.id, newPassword, context.now);
  const ended = signOutOthers
    ? await context.sessions.revokeOthers(
        person.id,
        session.id,
        { reason: 'password-changed' },
        context.now,
      )
    : null;
  const headers = new Headers({ 'Set-Cookie': cookie });
  const toast = { kind: 'password-changed', count: ended?.length ?? null } as const;
  headers.append('Set-Cookie', writeToast(toast, context.origin));
  return redirect('/settings/password', { headers });
}

export default function ChangePassword() {
  const { email } = useLoaderData<typeof loader>();
  const reply = useActionData<typeof action>()?.reply;
  const form = useFocusOnError(reply);
  const isPending = useNavigation().formAction === '/settings/password';
  return (
    <>
      <SettingsHeading
        title="Password"
        lead="Anyone who knew the old one can no longer sign in with it."
      />
      <Form method="post" ref={form} noValidate className="grid max-w-104 gap-6">
        <FormError reply={reply} />
        <UsernameField email={email} />
        <Field
          name="currentPassword"
          label="Current password"
          type="password"
          autoComplete="current-password"
          enterKeyHint="next"
          required
          reply={reply}
        />
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
        <div>
          <Button pending={isPending} pendingText="Changing your password…">
            Change password
          </Button>
        </div>
      </Form>
    </>
  );
}
