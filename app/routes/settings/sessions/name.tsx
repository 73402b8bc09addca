import { redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import { Form, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import { deviceNameSchema } from '#app/devices/device-view.server.ts';
import { orNotFound, parseForm, showAgain } from '#app/http/form.server.ts';
import { describeDevice } from '#app/sessions/device.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { Field, FormError, useFocusOnError } from '#app/ui/field.tsx';
import { Dialog } from '#app/ui/question.tsx';
import { requireSignedIn } from '#app/visit/visit.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Name a device', { index: false });

const SESSIONS_PAGE = '/settings/sessions';
const formSchema = z.object({ label: deviceNameSchema });

export async function loader({ params, context: { app, visit } }: LoaderFunctionArgs) {
  const { user } = await requireSignedIn(visit);
  const session = orNotFound(await app.devices.find(user.id, params.sessionId));
  return { label: session.label, guess: describeDevice(session.userAgent).name };
}

export async function action({ params, request, context: { app, visit } }: ActionFunctionArgs) {
  const { user } = await requireSignedIn(visit);
  const session = orNotFound(await app.devices.find(user.id, params.sessionId));
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  const { label } = form.value;
  await app.sessions.name(session.id, user.id, label);
  app.toast.show(
    visit,
    label === null
      ? 'The name is gone; the device goes by what it told us.'
      : `The device is now called ${label}.`,
  );
  return redirect(SESSIONS_PAGE);
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
