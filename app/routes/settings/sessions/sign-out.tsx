import {
  redirect,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
  type MetaFunction,
} from '@remix-run/node';
import { Form, useLoaderData, useNavigation } from '@remix-run/react';
import { findDevice } from '#app/devices/own-session.server.ts';
import { deviceName } from '#app/devices/device-view.server.ts';
import { requireFresh } from '#app/http/fresh-proof.server.ts';
import { requireSignedIn } from '#app/http/signed-in.server.ts';
import { endSession } from '#app/sign-in/sign-in.server.ts';
import { signOutDevice } from '#app/devices/sign-out-device.server.ts';
import { writeToast, type ToastMessage } from '#app/http/toast.server.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { Dialog } from '#app/ui/question.tsx';

export const meta: MetaFunction = () => [
  { title: 'Sign out a device · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const SESSIONS_PAGE = '/settings/sessions';

export async function loader(args: LoaderFunctionArgs) {
  const { context, params } = args;
  const { user, session: current } = await requireSignedIn(args);
  const session = await findDevice(context, user.id, params.sessionId);
  return { name: deviceName(session), isCurrent: session.id === current.id };
}

export async function action(args: ActionFunctionArgs) {
  const { context, params } = args;
  const { user, session: current } = await requireSignedIn(args);
  const session = await findDevice(context, user.id, params.sessionId);
  if (session.id === current.id) return redirect('/', { headers: await endSession(context) });
  await requireFresh(args);
  const device = deviceName(session);
  const ended = await signOutDevice(context, { ...session, device }, current.id);
  const toast: ToastMessage = ended
    ? { kind: 'session-ended', device }
    : { kind: 'session-already-ended' };
  return redirect(SESSIONS_PAGE, {
    headers: { 'Set-Cookie': writeToast(toast, context.origin) },
  });
}

export default function SignOutDevice() {
  const { name, isCurrent } = useLoaderData<typeof loader>();
  const isPending = useNavigation().formMethod === 'POST';
  return (
    <Dialog title={`Sign out ${name}?`} backTo={SESSIONS_PAGE}>
      <p className="text-muted">
        {isCurrent
          ? 'This is the device you are using now. You will have to sign in again.'
          : 'It is signed out at once. Whoever uses it has to sign in again.'}
      </p>
      <Form method="post" preventScrollReset className="flex flex-wrap justify-end gap-3">
        <ButtonLink to={SESSIONS_PAGE} preventScrollReset look="quiet">
          Keep it signed in
        </ButtonLink>
        <Button look="danger" pending={isPending} pendingText="Signing out…">
          Sign out
        </Button>
      </Form>
    </Dialog>
  );
}
