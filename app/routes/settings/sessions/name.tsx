import {
  redirect,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
  type MetaFunction,
} from '@remix-run/node';
import { Form, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import { findDevice } from '#app/devices/own-session.server.ts';
import { deviceNameSchema } from '#app/devices/device-view.server.ts';
import { parseForm, showAgain } from '#app/http/form.server.ts';
import { requireSignedIn } from '#app/http/signed-in.server.ts';
import { writeToast, type ToastMessage } from '#app/http/toast.server.ts';
import { describeDevice } from '#app/sessions/device.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { Field, FormError, useFocusOnError } from '#app/ui/field.tsx';
import { Dialog } from '#app/ui/question.tsx';

export const meta: MetaFunction = () => [
  { title: 'Name a device · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const SESSIONS_PAGE = '/settings/sessions';
const formSchema = z.object({ label: deviceNameSchema });

export async function loader(args: LoaderFunctionArgs) {
  const { context, params } = args;
  const { user } = await requireSignedIn(args);
  const session = await findDevice(context, user.id, params.sessionId);
  return { label: session.label, guess: describeDevice(session.userAgent).name };
}

export async function action(args: ActionFunctionArgs) {
  const { context, params, request } = args;
  const { user } = await requireSignedIn(args);
  const session = await findDevice(context, user.id, params.sessionId);
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  const { label } = form.value;
  await context.sessions.name(session.id, user.id, label);
  const toast: ToastMessage =
    label === null ? { kind: 'device-unnamed' } : { kind: 'device-named', device: label };
  return redirect(SESSIONS_PAGE, {
    headers: { 'Set-Cookie': writeToast(toast, context.origin) },
  });
}

export default function NameDevice() {
  const { label, guess } = useLoaderData<typeof loader>();
  const reply = useActionData<typeof action>()?.reply;
  const form = useFocusOnError(reply);
  const isPending = useNavigation().formMethod === 'POST';
  return (
    <Dialog title={label ? `Rename ${label}` : 'Name this device'} backTo={SESSIONS_PAGE}>
      <Form method="post" ref={form} noValidate preventScrollReset className="grid gap-6">
        <FormError reply={reply} />
        <Field
          name="label"
          label="Name"
          help={`Shown in place of “${guess}”. Leave it empty to go back to that.`}
          placeholder="Kitchen iPad"
          autoComplete="off"
          enterKeyHint="done"
          defaultValue={label ?? ''}
          reply={reply}
        />
        <div className="flex flex-wrap justify-end gap-3">
          <ButtonLink to={SESSIONS_PAGE} preventScrollReset look="quiet">
            Cancel
          </ButtonLink>
          <Button pending={isPending} pendingText="Saving…">
            Save name
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
