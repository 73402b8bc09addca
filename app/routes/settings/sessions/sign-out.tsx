import { redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import { Form, useLoaderData, useNavigation } from '@remix-run/react';
import { deviceName } from '#app/devices/device-view.server.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { Dialog } from '#app/ui/question.tsx';
import { orNotFound } from '#app/http/form.server.ts';
import { requireSignedIn } from '#app/visit/visit.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Sign out a device', { index: false });

const SESSIONS_PAGE = '/settings/sessions';

export async function loader({ params, context: { app, visit } }: LoaderFunctionArgs) {
  const { user, session: current } = await requireSignedIn(visit);
  const session = orNotFound(await app.devices.find(user.id, params.sessionId));
  return { name: deviceName(session), isCurrent: session.id === current.id };
}

/** Signs a device out. A fresh proof is required for every device but the current one. */
export async function action({ params, request, context: { app, visit } }: ActionFunctionArgs) {
  const { user, session: current } = await requireSignedIn(visit);
  const session = orNotFound(await app.devices.find(user.id, params.sessionId));
  if (session.id === current.id) {
    await app.browserSession.end(visit);
    return redirect('/');
  }
  await app.freshProof.require(visit, request);
  const isEnded = await app.devices.signOut(visit, session, current.id);
  app.toast.show(
    visit,
    isEnded ? `${deviceName(session)} is signed out.` : 'That device was signed out already.',
  );
  return redirect(SESSIONS_PAGE);
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
