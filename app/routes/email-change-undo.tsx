import type { ActionFunctionArgs } from '@remix-run/node';
import { Form, useActionData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import { showTooManyAttempts, parseForm, showAgain } from '#app/http/form.server.ts';
import { Button } from '#app/ui/button.tsx';
import { CodeFromLink } from '#app/credentials/mailed-codes/code-from-link.tsx';
import { FormError, useFocusOnError } from '#app/ui/field.tsx';
import { FormPage } from '#app/ui/page.tsx';
import { pageMeta } from '#app/ui/page-meta.ts';

export { retryHeaders as headers } from '#app/http/form.server.ts';

export const meta = pageMeta('Take back a change of e-mail', { index: false });

const formSchema = z.object({
  key: z
    .string('Paste the key from the mail.')
    .trim()
    .min(1)
    .max(128, 'That is longer than any key.'),
});

export async function action({ request, context: { app, visit } }: ActionFunctionArgs) {
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  const { key } = form.value;
  // The account is not known yet, so attempts are counted by the id in the key.
  const permit = await app.attempts.take(visit, 'mailed-code', { userId: key.split('.')[0] ?? '' });
  if (!permit.isAllowed) return showTooManyAttempts(form.fail, permit.retryAfterSeconds);
  const undo = await app.emailChange.redeemUndo(visit, key);
  if (!undo || (await app.users.changeEmail(undo.userId, undo.from, visit.now)) === null) {
    return showAgain(
      form.fail({
        key: 'This key is used, older than a week, or not whole. Follow the link in the mail once more.',
      }),
    );
  }
  await permit.refund();
  await app.emailChange.secureAfterUndo(visit, undo);
  const message = 'Your e-mail is as it was, and every device is signed out.';
  return app.passwordReset.startSignedOut(visit, undo.from, message);
}

export default function UndoEmailChange() {
  const reply = useActionData<typeof action>()?.reply;
  const form = useFocusOnError(reply);
  const isPending = useNavigation().formMethod === 'POST';
  return (
    <FormPage
      title="Take back the change"
      lead="Your account gets its old e-mail back, every device is signed out, and we send you a code for a new password."
    >
      <Form method="post" action="/email-change/undo" ref={form} noValidate className="grid gap-6">
        <FormError reply={reply} />
        <CodeFromLink
          name="key"
          label="Key"
          help="The part of the link in the mail that stands behind the #."
          filledHelp="Taken from the link."
          enterKeyHint="go"
          required
          reply={reply}
        />
        <Button look="danger" pending={isPending} pendingText="Taking it back…">
          Take it back and sign out everywhere
        </Button>
      </Form>
    </FormPage>
  );
}
