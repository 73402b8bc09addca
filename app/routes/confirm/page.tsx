import { redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import { Form, Link, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import { secondFactorSchema } from '#app/credentials/second-factor-schema.ts';
import { passwordSchema } from '#app/credentials/password/password-schema.ts';
import { showTooManyAttempts, parseForm, showAgain } from '#app/http/form.server.ts';
import { requireSignedIn } from '#app/visit/visit.ts';
import { problemText } from '#app/credentials/providers/provider-problems.server.ts';
import { SAVED_FORM_FIELD } from '#app/http/saved-forms.server.ts';
import { safeReturnPath } from '#app/http/return-path.server.ts';
import { Button } from '#app/ui/button.tsx';
import { Field, FormError, UsernameField, useFocusOnError } from '#app/ui/field.tsx';
import { FormPage, Notice } from '#app/ui/page.tsx';
import { PasskeyButton } from '#app/credentials/passkeys/passkey-button.tsx';
import { SecondFactorField } from '#app/credentials/second-factor-field.tsx';
import { pageMeta } from '#app/ui/page-meta.ts';

export { retryHeaders as headers } from '#app/http/form.server.ts';

export const meta = pageMeta('Confirm that it is you', { index: false });

const formSchema = z.object({
  password: passwordSchema.default(''),
  secondFactor: secondFactorSchema,
  redirectTo: z.string().optional(),
});

export async function loader({ context: { app, visit }, request }: LoaderFunctionArgs) {
  const { user, session } = await requireSignedIn(visit);
  const { searchParams } = new URL(request.url);
  const redirectTo = safeReturnPath(searchParams.get('redirectTo'));
  const saved = app.savedForms.find(visit, session.id);
  const isProven = app.sessions.isFresh(session, visit.now);
  if (!saved && isProven) return redirect(redirectTo);
  const [factors, passkeys, providers] = await Promise.all([
    app.confirmIdentity.factors(user.id),
    app.passkeys.count(user.id),
    app.confirmIdentity.providers(user.id),
  ]);
  return {
    redirectTo,
    isProven,
    email: user.email,
    keptForm: saved && { field: SAVED_FORM_FIELD, id: saved.id, path: saved.path },
    ...factors,
    hasPasskeys: passkeys > 0,
    isPasskeyRefused: searchParams.get('passkey') === 'refused',
    providers,
    trouble: problemText(app.providers, request),
  };
}

export async function action({ context: { app, visit }, request }: ActionFunctionArgs) {
  const { user } = await requireSignedIn(visit);
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  const checked = await app.confirmIdentity.withFactors(visit, user, form.value);
  switch (checked.state) {
    case 'nothing-to-type':
      return redirect('/confirm');
    case 'later':
      return showTooManyAttempts(form.fail, checked.retryAfterSeconds);
    case 'wrong':
      return showAgain(form.fail({ [checked.field]: checked.text }));
    case 'right':
      return app.confirmIdentity.continueAfterReauthentication(
        visit,
        request,
        form.value.redirectTo,
      );
  }
}

type Page = ReturnType<typeof useLoaderData<typeof loader>>;

export default function Confirm() {
  const page = useLoaderData<typeof loader>();
  return page.isProven ? (
    <FormPage title="That is you" lead="One click more, and what you were doing is done.">
      {page.keptForm && (
        <Form method="post" action={page.keptForm.path} reloadDocument className="grid">
          <HiddenFields page={page} />
          <Button>Go on</Button>
        </Form>
      )}
      <CancelLink />
    </FormPage>
  ) : (
    <FormPage
      title="Confirm that it is you"
      lead="What you are about to do is sensitive, and you signed in a while ago. We go on with it right after this."
    >
      {page.trouble && <Notice>{page.trouble}</Notice>}
      {page.hasPasskeys && <PasskeyForm page={page} />}
      <FactorsForm page={page} />
      <ProviderForms page={page} />
      <CancelLink />
    </FormPage>
  );
}

/** The fields of all forms: where to redirect, and the id of the saved form. */
function HiddenFields({ page: { redirectTo, keptForm } }: { page: Page }) {
  return (
    <>
      <input type="hidden" name="redirectTo" value={redirectTo} />
      {keptForm && <input type="hidden" name={keptForm.field} value={keptForm.id} />}
    </>
  );
}

// The strongest factor comes first. All forms reload the document, because the response may be that of
// the saved form, a file, or a redirect to another site.

function PasskeyForm({ page }: { page: Page }) {
  return (
    <Form method="post" action="/confirm/passkey" reloadDocument className="grid gap-6">
      <HiddenFields page={page} />
      <PasskeyButton
        ceremony="use"
        optionsFrom="/confirm/passkey/options"
        look="primary"
        error={page.isPasskeyRefused ? 'That passkey did not work. Try again.' : undefined}
      >
        Use a passkey
      </PasskeyButton>
    </Form>
  );
}

function FactorsForm({ page }: { page: Page }) {
  const { email, hasPassword, hasTotp, hasPasskeys } = page;
  const reply = useActionData<typeof action>()?.reply;
  const form = useFocusOnError(reply);
  const isPending = useNavigation().formMethod === 'POST';
  if (!hasPassword && !hasTotp) return null;
  return (
    <Form
      method="post"
      action="/confirm"
      reloadDocument
      ref={form}
      noValidate
      className="grid gap-6"
    >
      {hasPasskeys && <p className="text-muted">Or without the passkey:</p>}
      <FormError reply={reply} />
      <HiddenFields page={page} />
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
      <Button
        look={hasPasskeys ? 'secondary' : 'primary'}
        pending={isPending}
        pendingText="Checking…"
      >
        Go on
      </Button>
    </Form>
  );
}

function ProviderForms({ page }: { page: Page }) {
  return page.providers.map(({ id, name }) => (
    <Form key={id} method="post" action={`/confirm/provider/${id}`} reloadDocument className="grid">
      <HiddenFields page={page} />
      <Button look="secondary">Confirm with {name}</Button>
    </Form>
  ));
}

function CancelLink() {
  return (
    <p className="text-muted">
      <Link
        className="font-medium text-accent underline underline-offset-4"
        to="/settings/sessions"
      >
        Leave it
      </Link>
    </p>
  );
}
