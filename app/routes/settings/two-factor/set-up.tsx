import { redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import { Form, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import { authenticatorCodeSchema } from '#app/credentials/second-factor-schema.ts';
import { drawQrCode } from '#app/credentials/totp/qr-code.server.ts';
import { parseForm, showAgain } from '#app/http/form.server.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { CodeField } from '#app/credentials/code-field.tsx';
import { Checkbox, FormError, useFocusOnError } from '#app/ui/field.tsx';
import { SettingsHeading } from '#app/ui/page.tsx';
import { QrCode } from './qr-code.tsx';
import { withOthers } from '#app/http/toast.server.ts';
import { requireSignedIn } from '#app/visit/visit.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Set up two-factor sign-in', { index: false });

const PAGE = '/settings/two-factor';
const formSchema = z.object({
  code: authenticatorCodeSchema,
  signOutOthers: z.literal('on').optional(),
});

/**
 * Returns the secret to the user, the only page data that hold one. A reload shows the same secret until
 * it is proven or expires.
 */
export async function loader({ context: { app, visit } }: LoaderFunctionArgs) {
  const signedIn = await requireSignedIn(visit);
  const { user } = signedIn;
  if (await app.totp.isOn(user.id)) return redirect(PAGE);
  const pendingSecret = app.totpSetUps.find(visit, signedIn);
  const secret = pendingSecret ?? app.totp.newSecret();
  if (pendingSecret === null) app.totpSetUps.write(visit, signedIn, secret);
  const uri = app.totp.authenticatorUri(secret, user.email);
  return { uri, qr: await drawQrCode(uri), groups: secret.match(/.{4}/g) ?? [] };
}

/** Turns two-factor sign-in on. No rate limit: the page shows the secret, so there is nothing to guess. */
export async function action({ request, context: { app, visit } }: ActionFunctionArgs) {
  const signedIn = await requireSignedIn(visit);
  const { user } = signedIn;
  if (await app.totp.isOn(user.id)) return redirect(PAGE);
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  const { code, signOutOthers } = form.value;
  const secret = app.totpSetUps.find(visit, signedIn);
  if (secret === null) {
    return showAgain(form.fail({ form: 'That took too long. Scan the new QR code below.' }));
  }
  const step = await app.totp.findTimeStep(secret, code, visit.now);
  if (step === null) {
    const text = 'That is not the code for this QR code. Enter the one your app shows now.';
    return showAgain(form.fail({ code: text }));
  }
  const codes = (await app.totpSetUps.use(visit, secret))
    ? await app.totp.turnOn(user.id, { secret, step }, visit.now)
    : null;
  app.totpSetUps.remove(visit);
  if (!codes) return redirect(PAGE);
  const event = { kind: 'totp-on' } as const;
  const count = await app.securityChanges.finish(visit, signedIn, event, {
    signOutOthers: signOutOthers === 'on',
  });
  app.newRecoveryCodes.write(visit, signedIn, codes);
  app.toast.show(visit, withOthers('Signing in now takes a code of your app as well.', count));
  return redirect(`${PAGE}/recovery-codes`);
}

export default function SetUpTwoFactor() {
  const { uri, qr, groups } = useLoaderData<typeof loader>();
  const reply = useActionData<typeof action>()?.reply;
  const form = useFocusOnError(reply);
  const isPending = useNavigation().formAction === `${PAGE}/set-up`;
  return (
    <>
      <SettingsHeading title="Set up two-factor sign-in" lead="Two steps, and it is on." />
      <Form method="post" ref={form} noValidate className="grid max-w-136 gap-8">
        <FormError reply={reply} />
        <section className="grid gap-4">
          <h2 className="text-lead font-semibold">1. Add Latchkey to your app</h2>
          <p className="text-muted">Scan this with your authenticator app:</p>
          <QrCode
            {...qr}
            label="QR code for your authenticator app. The key below says the same."
          />
          <p className="text-muted">
            Reading this on the phone that has the app?{' '}
            <a className="font-medium text-accent underline underline-offset-4" href={uri}>
              Open it there
            </a>
          </p>
          <div className="grid gap-1.5">
            <p id="key" className="text-muted">
              Or type this key into the app:
            </p>
            <p
              aria-labelledby="key"
              role="group"
              className="flex flex-wrap gap-x-3 gap-y-1 font-mono text-base select-all"
            >
              {groups.map((group, index) => (
                <span key={index}>{group} </span>
              ))}
            </p>
          </div>
        </section>
        <section className="grid max-w-104 gap-6">
          <h2 className="text-lead font-semibold">2. Enter the code it shows</h2>
          <CodeField reply={reply} help="6 digits. It changes every half minute." />
          <Checkbox
            name="signOutOthers"
            label="Sign out everywhere else"
            help="Every other device has to sign in again, with a code."
            defaultChecked
            reply={reply}
          />
          <div className="flex flex-wrap gap-3">
            <Button pending={isPending} pendingText="Turning it on…">
              Turn it on
            </Button>
            <ButtonLink look="quiet" to={PAGE}>
              Not now
            </ButtonLink>
          </div>
        </section>
      </Form>
    </>
  );
}
