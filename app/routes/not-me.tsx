import type { ActionFunctionArgs, LoaderFunctionArgs } from '@remix-run/node';
import { Form, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import { showTooManyAttempts, parseForm, showAgain } from '#app/http/form.server.ts';
import { networkPrefix } from '#app/network/ip-address.server.ts';
import { Button } from '#app/ui/button.tsx';
import { CodeFromLink } from '#app/credentials/mailed-codes/code-from-link.tsx';
import { FormError, useFocusOnError } from '#app/ui/field.tsx';
import { NotMeConsequences } from '#app/account/not-me-consequences.tsx';
import { FormPage } from '#app/ui/page.tsx';
import { pageMeta } from '#app/ui/page-meta.ts';

export { retryHeaders as headers } from '#app/http/form.server.ts';

export const meta = pageMeta('This wasn’t me', { index: false });

const MAX_KEY_CHARACTERS = 2048;

const formSchema = z.object({
  key: z
    .string('Open this page by the link in the mail, or paste the link here.')
    .max(MAX_KEY_CHARACTERS, 'That is longer than any link of ours.')
    // Without scripts, users paste the whole link rather than the part after its "#".
    .transform((text) => text.slice(text.lastIndexOf('#') + 1).trim()),
});

/** The page of the link in a notice. Opening it does nothing, because mail scanners open links too. */
export function loader({ context: { app } }: LoaderFunctionArgs) {
  return { hasMail: app.mailer.isOn };
}

export async function action({ request, context: { app, visit } }: ActionFunctionArgs) {
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  const { key } = form.value;
  // The user is not known, so attempts are counted by network.
  const target = `not-me ${networkPrefix(visit.device.ipAddress)}`;
  const permit = await app.attempts.take(visit, 'mailed-code', { userId: target });
  if (!permit.isAllowed) return showTooManyAttempts(form.fail, permit.retryAfterSeconds);
  const redeemed = await app.mailedCodes.redeemLinkKey('not-me', key, visit.now);
  if (redeemed.state === 'right' && redeemed.userId !== null) {
    await permit.refund();
    return app.notMe.secureAccount(visit, redeemed.userId);
  }
  return showAgain(
    form.fail({
      form: 'This link works no more: it was used already, or is older than a week. To sign out everything, reset your password.',
    }),
  );
}

export default function NotMeByMail() {
  const { hasMail } = useLoaderData<typeof loader>();
  const reply = useActionData<typeof action>()?.reply;
  const form = useFocusOnError(reply);
  const isPending = useNavigation().formAction === '/not-me';
  return (
    <FormPage
      title="This wasn’t you?"
      lead="You had a mail about something in your account that you did not do."
    >
      <Form method="post" action="/not-me" ref={form} noValidate className="grid gap-6">
        <FormError reply={reply} />
        <NotMeConsequences email={null} hasMail={hasMail} />
        <CodeFromLink
          name="key"
          label="Key"
          help="Paste the link from the mail."
          filledHelp="From the link in the mail."
          autoComplete="off"
          enterKeyHint="go"
          required
          reply={reply}
        />
        <div>
          <Button look="danger" pending={isPending} pendingText="Signing out…">
            Sign out everything
          </Button>
        </div>
      </Form>
    </FormPage>
  );
}
