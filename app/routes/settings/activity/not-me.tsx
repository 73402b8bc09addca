import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from '@remix-run/node';
import { Form, useLoaderData, useNavigation } from '@remix-run/react';
import { viewActivity } from '#app/activity/activity-view.server.ts';
import { findOwnActivity } from '#app/activity/own-activity.server.ts';
import { requireSignedIn } from '#app/http/signed-in.server.ts';
import { secureAccount } from '#app/account/not-me.server.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { NotMeConsequences } from '#app/account/not-me-consequences.tsx';
import { Dialog } from '#app/ui/question.tsx';
import { RelativeTime } from '#app/ui/relative-time.tsx';

export const meta: MetaFunction = () => [
  { title: 'This wasn’t me · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

export async function loader(args: LoaderFunctionArgs) {
  const { context, params, request } = args;
  const { user, session } = await requireSignedIn(args);
  const entry = await findOwnActivity(context, user.id, params.activityId);
  return {
    entry: viewActivity(context, entry, session.id),
    email: user.email,
    hasMail: context.mailer.isOn,
    now: context.now.toISOString(),
    backTo: `/settings/activity${new URL(request.url).search}`,
  };
}

/**
 * No fresh proof is asked for: it takes access away and gives none, and whoever needs it is in a
 * hurry. A thief who does it is signed out as well, and the mail goes to the owner.
 */
export async function action(args: ActionFunctionArgs) {
  const { context, params } = args;
  const { user } = await requireSignedIn(args);
  await findOwnActivity(context, user.id, params.activityId);
  return secureAccount(context, user.id);
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
