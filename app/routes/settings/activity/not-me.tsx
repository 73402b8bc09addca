import type { ActionFunctionArgs, LoaderFunctionArgs } from '@remix-run/node';
import { Form, useLoaderData, useNavigation } from '@remix-run/react';
import { viewActivity } from '#app/activity/activity-view.server.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { NotMeConsequences } from '#app/account/not-me-consequences.tsx';
import { Dialog } from '#app/ui/question.tsx';
import { RelativeTime } from '#app/ui/relative-time.tsx';
import { orNotFound } from '#app/http/form.server.ts';
import { requireSignedIn } from '#app/visit/visit.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('This wasn’t me', { index: false });

export async function loader({ params, request, context: { app, visit } }: LoaderFunctionArgs) {
  const { user, session } = await requireSignedIn(visit);
  const entry = orNotFound(await app.activity.find(user.id, params.activityId));
  return {
    entry: viewActivity(app, entry, session.id),
    email: user.email,
    hasMail: app.mailer.isOn,
    now: visit.now.toISOString(),
    backTo: `/settings/activity${new URL(request.url).search}`,
  };
}

/**
 * Secures the account. No fresh proof is required: this only takes access away, and its user is in a
 * hurry. An attacker who uses it is signed out too, and the mail goes to the user.
 */
export async function action({ params, context: { app, visit } }: ActionFunctionArgs) {
  const { user } = await requireSignedIn(visit);
  orNotFound(await app.activity.find(user.id, params.activityId));
  return app.notMe.secureAccount(visit, user.id);
}

export default function NotMe() {
  const { entry, email, hasMail, now, backTo } = useLoaderData<typeof loader>();
  const isPending = useNavigation().formMethod === 'POST';
  return (
    <Dialog title="This wasn’t you?" backTo={backTo}>
      <p>
        <strong className="font-semibold wrap-anywhere">{entry.text}</strong>
        <br />
        <span className="text-small text-muted">
          {entry.device} · {entry.place} · <RelativeTime at={entry.at} now={now} />
        </span>
      </p>
      <NotMeConsequences email={email} hasMail={hasMail} />
      <Form method="post" className="flex flex-wrap justify-end gap-3">
        <ButtonLink to={backTo} preventScrollReset look="quiet">
          It was me
        </ButtonLink>
        <Button look="danger" pending={isPending} pendingText="Signing out…">
          Sign out everything
        </Button>
      </Form>
    </Dialog>
  );
}
