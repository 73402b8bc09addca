import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from '@remix-run/node';
import { Form, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import { showTooManyAttempts, parseForm, showAgain } from '#app/http/form.server.ts';
import { networkPrefix } from '#app/network/ip-address.server.ts';
import { secureAccount } from '#app/account/not-me.server.ts';
import { takeAttempt } from '#app/limits/attempts.server.ts';
import { Button } from '#app/ui/button.tsx';
import { CodeFromLink } from '#app/credentials/mailed-codes/code-from-link.tsx';
import { FormError, useFocusOnError } from '#app/ui/field.tsx';
import { NotMeConsequences } from '#app/account/not-me-consequences.tsx';
import { FormPage } from '#app/ui/page.tsx';

export { retryHeaders as headers } from '#app/http/form.server.ts';

export const meta: MetaFunction = () => [
  { title: 'This wasn’t me · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const MAX_KEY_CHARACTERS = 2048;

const formSchema = z.object({
  key: z
    .string('Open this page by the link in the mail, or paste the link here.')
    .max(MAX_KEY_CHARACTERS, 'That is longer than any link of ours.')
    // Whoever has no scripts copies the whole link, not what stands behind its "#".
    .transform((text) => text.slice(text.lastIndexOf('#') + 1).trim()),
});

/** The page of the link in a notice. Following it does nothing: mail scanners do that as well. */
export function loader({ context }: LoaderFunctionArgs) {
  return { hasMail: context.mailer.isOn };
}

export async function action({ request, context }: ActionFunctionArgs) {
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  const { key } = form.value;
  // Whose key it is stands in no form: tries are counted by where they come from.
  const whose = `not-me ${networkPrefix(context.device.ipAddress)}`;
  const leave = await takeAttempt(context, 'mailed-code', { userId: whose });
  if (!leave.isAllowed) return showTooManyAttempts(form.fail, leave.retryAfterSeconds);
  const said = await context.mailedCodes.redeemLinkKey('not-me', key, context.now);
  if (said.state === 'right' && said.userId !== null) {
    await leave.refund();
    return secureAccount(context, said.userId);
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
