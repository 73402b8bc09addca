import {
  redirect,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
  type MetaFunction,
} from '@remix-run/node';
import { Form, Link, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import { z } from 'zod';
import { secondFactorSchema } from '#app/credentials/code-schema.ts';
import { passwordSchema } from '#app/credentials/password-schema.ts';
import { comeBackLater, parseForm, tryAgain } from '#app/http/form.server.ts';
import { goOn } from '#app/http/fresh.server.ts';
import { requireSession } from '#app/http/guards.server.ts';
import { findKeptForm, KEPT_FORM_FIELD } from '#app/http/kept-form.server.ts';
import { noteActivity } from '#app/http/note-activity.server.ts';
import { safeRedirectTo } from '#app/http/redirect-to.server.ts';
import { trySecondFactor } from '#app/http/second-factor.server.ts';
import { takeTry } from '#app/http/try.server.ts';
import { Button } from '#app/ui/button.tsx';
import { Field, FormError, UsernameField, useFocusOnError } from '#app/ui/field.tsx';
import { FormPage } from '#app/ui/page.tsx';
import { SecondFactorField } from '#app/ui/second-factor-field.tsx';

export { retryHeaders as headers } from '#app/http/form.server.ts';

export const meta: MetaFunction = () => [
  { title: 'Confirm that it is you · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const formSchema = z.object({
  password: passwordSchema.default(''),
  secondFactor: secondFactorSchema,
  redirectTo: z.string().optional(),
});

export async function loader(args: LoaderFunctionArgs) {
  const { context, request } = args;
  const { person, session } = await requireSession(args);
  const redirectTo = safeRedirectTo(new URL(request.url).searchParams.get('redirectTo'));
  const kept = findKeptForm(context, request, session.id);
  if (!kept && context.sessions.isFresh(session, context.now)) return redirect(redirectTo);
  return {
    redirectTo,
    email: person.email,
    keptForm: kept && { field: KEPT_FORM_FIELD, id: kept.id },
    ...(await factorsOf(context, person.id)),
  };
}

async function factorsOf(
  { passwords, totp }: ActionFunctionArgs['context'],
  userId: string,
): Promise<{ hasPassword: boolean; hasTotp: boolean }> {
  const [hasPassword, hasTotp] = await Promise.all([passwords.isSet(userId), totp.isOn(userId)]);
  return { hasPassword, hasTotp };
}

export async function action(args: ActionFunctionArgs) {
  const { context, request } = args;
  const { person } = await requireSession(args);
  const form = await parseForm(request, formSchema);
  if (!form.ok) return tryAgain(form.reply);
  const { password, secondFactor, redirectTo } = form.value;
  const { hasPassword, hasTotp } = await factorsOf(context, person.id);
  // Without either there is nothing to type: a passkey or a provider has to do.
  if (!hasPassword && !hasTotp) return redirect('/confirm');
  if (hasPassword) {
    const leave = await takeTry(context, 'password', { email: person.email });
    if (!leave.isGiven) return comeBackLater(form.fail, leave.retryAfterSeconds);
    if (!(await context.passwords.confirm(person.id, password))) {
      await noteActivity(context, person.id, { kind: 'sign-in-failed', what: 'password' });
      return tryAgain(form.fail({ password: 'This is not your password.' }));
    }
    await leave.giveBack();
  }
  if (hasTotp) {
    const tried = await trySecondFactor(context, person.id, secondFactor);
    if (tried.state === 'later') return comeBackLater(form.fail, tried.retryAfterSeconds);
    if (tried.state === 'wrong') return tryAgain(form.fail({ secondFactor: tried.text }));
  }
  return goOn(context, request, redirectTo);
}

export default function Confirm() {
  const { email, redirectTo, keptForm, hasPassword, hasTotp } = useLoaderData<typeof loader>();
  const reply = useActionData<typeof action>()?.reply;
  const form = useFocusOnError(reply);
  const isPending = useNavigation().formMethod === 'POST';
  return (
    <FormPage
      title="Confirm that it is you"
      lead="What you are about to do is sensitive, and you signed in a while ago. We go on with it right after this."
    >
      {(hasPassword || hasTotp) && (
        // A whole new request: what follows may be the form that was kept, or a file.
        <Form
          method="post"
          action="/confirm"
          reloadDocument
          ref={form}
          noValidate
          className="grid gap-6"
        >
          <FormError reply={reply} />
          <input type="hidden" name="redirectTo" value={redirectTo} />
          {keptForm && <input type="hidden" name={keptForm.field} value={keptForm.id} />}
          <UsernameField email={email} />
          {hasPassword && (
            <Field
              name="password"
              label="Your password"
              type="password"
              autoComplete="current-password"
              enterKeyHint={hasTotp ? 'next' : 'go'}
              required
              reply={reply}
            />
          )}
          {hasTotp && <SecondFactorField reply={reply} />}
          <Button pending={isPending} pendingText="Checking…">
            Go on
          </Button>
        </Form>
      )}
      <p className="text-muted">
        <Link
          className="font-medium text-accent underline underline-offset-4"
          to="/settings/sessions"
        >
          Leave it
        </Link>
      </p>
    </FormPage>
  );
}
