import {
  redirect,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
  type MetaFunction,
} from '@remix-run/node';
import { Form, useActionData, useLoaderData } from '@remix-run/react';
import { Download } from 'lucide-react';
import { z } from 'zod';
import { passwordSchema } from '#app/credentials/password-schema.ts';
import { comeBackLater, parseForm, tryAgain } from '#app/http/form.server.ts';
import { requireSession } from '#app/http/guards.server.ts';
import { takeTry } from '#app/http/try.server.ts';
import { loginPathFor } from '#app/http/redirect-to.server.ts';
import { renewSession } from '#app/http/sign-in.server.ts';
import { DAY_MS } from '#app/sessions/index.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { Field, FormError, UsernameField, useFocusOnError } from '#app/ui/field.tsx';
import { SettingsHeading } from '#app/ui/page.tsx';

export { retryHeaders as headers } from '#app/http/form.server.ts';

export const meta: MetaFunction = () => [
  { title: 'Your data · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const formSchema = z.object({ password: passwordSchema });
/** Has the browser send the same form on, as a POST (RFC 9110 §15.4.8). */
const TEMPORARY_REDIRECT = 307;

export async function loader(args: LoaderFunctionArgs) {
  const { person } = await requireSession(args);
  const { retentionMs } = args.context.sessions;
  return { email: person.email, retentionDays: Math.round(retentionMs / DAY_MS) };
}

export async function action(args: ActionFunctionArgs) {
  const { context, request } = args;
  const { person } = await requireSession(args);
  const form = await parseForm(request, formSchema);
  if (!form.ok) return tryAgain(form.reply);
  const leave = await takeTry(context, 'password', { email: person.email });
  if (!leave.isGiven) return comeBackLater(form.fail, leave.retryAfterSeconds);
  if (!(await context.passwords.confirm(person.id, form.value.password))) {
    return tryAgain(form.fail({ password: 'This is not your password.' }));
  }
  await leave.giveBack();
  const cookie = await renewSession(context);
  if (cookie === null) return redirect(loginPathFor(request, context.origin));
  return redirect('/settings/data/download', {
    status: TEMPORARY_REDIRECT,
    headers: { 'Set-Cookie': cookie },
  });
}

export default function YourData() {
  const { email, retentionDays } = useLoaderData<typeof loader>();
  const reply = useActionData<typeof action>()?.reply;
  const form = useFocusOnError(reply);
  return (
    <>
      <SettingsHeading
        title="Your data"
        lead="It is yours: take a copy of all that is kept about you, or have it erased."
      />
      <section aria-labelledby="download" className="grid gap-6">
        <div className="grid gap-1">
          <h2 id="download" className="text-lead font-semibold">
            Download
          </h2>
          <p className="max-w-136 text-muted">
            One file (JSON) with your profile and every session on record, those that ended within
            the last {retentionDays} days too. Passwords and sign-in tokens are not in it: we do not
            have them in readable form ourselves.
          </p>
        </div>
        {/* A whole new request: what comes back is a file, and the page stays. */}
        <Form method="post" reloadDocument ref={form} noValidate className="grid max-w-104 gap-6">
          <FormError reply={reply} />
          <UsernameField email={email} />
          <Field
            name="password"
            label="Your password"
            help="So that nobody else takes it from a device you left open."
            type="password"
            autoComplete="current-password"
            enterKeyHint="go"
            required
            reply={reply}
          />
          <div>
            <Button>
              <Download aria-hidden className="size-4.5" strokeWidth={1.75} />
              Download your data
            </Button>
          </div>
        </Form>
      </section>
      <section aria-labelledby="delete" className="mt-12 grid gap-5 border-t border-line pt-8">
        <div className="grid gap-1">
          <h2 id="delete" className="text-lead font-semibold">
            Delete your account
          </h2>
          <p className="max-w-136 text-muted">
            Everything kept about you is erased, and every device is signed out. The next page says
            what goes before anything happens.
          </p>
        </div>
        <div>
          <ButtonLink look="quiet-danger" to="/settings/data/delete" className="-ml-5">
            Delete your account…
          </ButtonLink>
        </div>
      </section>
    </>
  );
}
