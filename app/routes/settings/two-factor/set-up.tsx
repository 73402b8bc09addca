import {
  data,
  redirect,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
  type MetaFunction,
} from '@remix-run/node';
import { Form, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import { authenticatorCodeSchema } from '#app/credentials/second-factor-schema.ts';
import { drawQrCode } from '#app/credentials/totp/qr-code.server.ts';
import { finishSecurityChange } from '#app/sign-in/security-change.server.ts';
import { parseForm, showAgain } from '#app/http/form.server.ts';
import { requireSignedIn } from '#app/http/signed-in.server.ts';
import { writeToast } from '#app/http/toast.server.ts';
import { findTotpSetUp, spendTotpSetUp } from '#app/credentials/totp/totp-set-up.server.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { CodeField } from '#app/credentials/code-field.tsx';
import { Checkbox, FormError, useFocusOnError } from '#app/ui/field.tsx';
import { SettingsHeading } from '#app/ui/page.tsx';
import { QrCode } from './qr-code.tsx';

export const meta: MetaFunction = () => [
  { title: 'Set up two-factor sign-in · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const PAGE = '/settings/two-factor';
const formSchema = z.object({
  code: authenticatorCodeSchema,
  signOutOthers: z.literal('on').optional(),
});

/** Shows its owner the secret: the one page whose data hold one. The same one until it is proven or lapses. */
export async function loader(args: LoaderFunctionArgs) {
  const { context, request } = args;
  const signedIn = await requireSignedIn(args);
  const { user, session } = signedIn;
  if (await context.totp.isOn(user.id)) return redirect(PAGE);
  const held = findTotpSetUp(context, request, signedIn);
  const secret = held ?? context.totp.newSecret();
  const uri = context.totp.authenticatorUri(secret, user.email);
  const setUp = { userId: user.id, sessionId: session.id, secret };
  return data(
    { uri, qr: await drawQrCode(uri), groups: secret.match(/.{4}/g) ?? [] },
    held
      ? undefined
      : { headers: { 'Set-Cookie': context.cookies.totpSetUp.write(setUp, context.now) } },
  );
}

// What is typed here is no guess at a secret: the page shows it.
export async function action(args: ActionFunctionArgs) {
  const { context, request } = args;
  const signedIn = await requireSignedIn(args);
  const { user } = signedIn;
  if (await context.totp.isOn(user.id)) return redirect(PAGE);
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  const { code, signOutOthers } = form.value;
  const secret = findTotpSetUp(context, request, signedIn);
  if (secret === null) {
    return showAgain(form.fail({ form: 'That took too long. Scan the new QR code below.' }));
  }
  const step = await context.totp.findTimeStep(secret, code, context.now);
  if (step === null) {
    const text = 'That is not the code for this QR code. Enter the one your app shows now.';
    return showAgain(form.fail({ code: text }));
  }
  const codes = (await spendTotpSetUp(context, secret))
    ? await context.totp.turnOn(user.id, { secret, step }, context.now)
    : null;
  const replayGuard = context.cookies.totpSetUp.clear();
  if (!codes) return redirect(PAGE, { headers: { 'Set-Cookie': replayGuard } });
  const { headers, count } = await finishSecurityChange(
    context,
    signedIn,
    { kind: 'totp-on' },
    { signOutOthers: signOutOthers === 'on' },
  );
  headers.append('Set-Cookie', replayGuard);
  const { newRecoveryCodes } = context.cookies;
  headers.append('Set-Cookie', newRecoveryCodes.write(context.now, signedIn, codes));
  headers.append('Set-Cookie', writeToast({ kind: 'two-factor-on', count }, context.origin));
  return redirect(`${PAGE}/recovery-codes`, { headers });
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
