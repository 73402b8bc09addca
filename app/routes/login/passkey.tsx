import { data, redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import { Link, useActionData, useLoaderData } from '@remix-run/react';
import { useEffect } from 'react';
import * as z from 'zod';
import { assertionSchema } from '#app/credentials/passkeys/passkey-schema.ts';
import { parseForm, type FormReply } from '#app/http/form.server.ts';
import { findSignedIn } from '#app/visit/visit.ts';
import { safeReturnPath } from '#app/http/return-path.server.ts';
import { Checkbox } from '#app/ui/field.tsx';
import { FormPage } from '#app/ui/page.tsx';
import { PasskeySignInForm } from '#app/credentials/passkeys/passkey-sign-in-form.tsx';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Sign in with a passkey', { index: false });

const formSchema = z.object({
  credential: assertionSchema,
  remember: z.literal('on').optional(),
  redirectTo: z.string().optional(),
});

export async function loader({ request, context: { visit } }: LoaderFunctionArgs) {
  const redirectTo = safeReturnPath(new URL(request.url).searchParams.get('redirectTo'));
  return (await findSignedIn(visit)) ? redirect(redirectTo) : { redirectTo };
}

/** Signs in with the passkey's answer. It names its user, so no e-mail is asked for. */
export async function action({ request, context: { app, visit } }: ActionFunctionArgs) {
  const form = await parseForm(request, formSchema);
  if (!form.ok) return refused(form.reply);
  const { credential, remember, redirectTo } = form.value;
  const challenge = app.challenges.find(visit, 'sign-in', null);
  if (challenge === null) {
    return refused(form.fail({ credential: 'That took too long. Try again.' }));
  }
  const userId = await app.passkeys.signIn(credential, challenge, visit.now);
  if (userId === null) {
    return (await app.passkeys.isKnown(credential.id))
      ? refused(form.fail({ credential: 'That passkey did not work. Try again.' }))
      : refused(
          form.fail({
            credential: 'That passkey is not known here. Use another one, or your password.',
          }),
          credential.id,
        );
  }
  return app.signIn.signInBrowser(visit, {
    userId,
    proof: { by: 'passkey', second: null, provider: null },
    remember: remember === 'on',
    redirectTo,
  });
}

/** @param unknownId of a passkey that belongs to no user, for the browser to stop offering it. */
const refused = (reply: FormReply, unknownId: string | null = null) =>
  data({ reply, unknownId }, { status: 400 });

export default function SignInWithPasskey() {
  const { redirectTo } = useLoaderData<typeof loader>();
  const answer = useActionData<typeof action>();
  const reply = answer?.reply;
  const unknownId = answer?.unknownId ?? null;
  const wanted = reply?.initialValue?.redirectTo;
  const backTo = typeof wanted === 'string' ? wanted : redirectTo;

  useEffect(() => {
    if (unknownId === null) return;
    import('#app/credentials/passkeys/ceremony.ts').then(
      ({ reportUnknownPasskey }) => reportUnknownPasskey(unknownId),
      () => {
        // Offline: the browser offers it again, which is harmless.
      },
    );
  }, [unknownId]);

  return (
    <FormPage title="Sign in with a passkey">
      <PasskeySignInForm
        redirectTo={backTo}
        error={reply?.error?.credential?.[0]}
        otherwise={
          <p>Your browser has no passkeys, or scripts are off. Sign in with your password.</p>
        }
      >
        <Checkbox
          name="remember"
          label="Remember me on this device"
          help="You stay signed in for up to 30 days. Leave it off on a device that others use."
          reply={reply}
        />
      </PasskeySignInForm>
      <p className="text-muted">
        <Link
          className="font-medium text-accent underline underline-offset-4"
          to={backTo === '/' ? '/login' : `/login?${new URLSearchParams({ redirectTo: backTo })}`}
        >
          Use your password instead
        </Link>
      </p>
    </FormPage>
  );
}
