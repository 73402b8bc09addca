import type { LoaderFunctionArgs } from '@remix-run/node';
import { Link, Outlet, useLoaderData } from '@remix-run/react';
import { viewActivity } from '#app/activity/activity-view.server.ts';
import { ActivityList } from './activity-list.tsx';
import { SettingsHeading } from '#app/ui/page.tsx';
import { requireSignedIn } from '#app/visit/visit.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Activity', { index: false });

const PAGE_ROWS = 50;

export async function loader({ request, context: { app, visit } }: LoaderFunctionArgs) {
  const { session, user } = await requireSignedIn(visit);
  const after = parsePosition(new URL(request.url).searchParams.get('after'));
  const { entries, next } = await app.activityLog.list(user.id, { limit: PAGE_ROWS, after });
  return {
    now: visit.now.toISOString(),
    entries: entries.map((entry) => viewActivity(app, entry, session.id)),
    // A dialog on this page returns to the same part of the log.
    search: after ? `?after=${positionText(after)}` : '',
    next: next && positionText(next),
    retentionDays: app.activityLog.retentionDays,
  };
}

/** Returns the position that a page's link names; `null` for the newest page. */
function parsePosition(text: string | null) {
  const match = /^(\d{1,15})\.([\w-]{1,128})$/.exec(text ?? '');
  return match?.[1] && match[2] ? { at: new Date(Number(match[1])), id: match[2] } : null;
}

const positionText = ({ at, id }: { at: Date; id: string }) => `${at.getTime()}.${id}`;

export default function ActivityLog() {
  const { now, entries, search, next, retentionDays } = useLoaderData<typeof loader>();
  const kept = retentionDays === 1 ? 'a day' : `${retentionDays} days`;
  return (
    <>
      <Outlet />
      <SettingsHeading
        title="Activity"
        lead={`What happened to your account, kept for ${kept}. If something was not you, say so: everything is signed out and you choose a new password.`}
      />
      {entries.length > 0 ? (
        <ActivityList entries={entries} now={now} search={search} />
      ) : (
        <p className="text-muted">
          {search ? 'Nothing older is kept.' : `Nothing happened within the last ${kept}.`}
        </p>
      )}
      {(next ?? search) && (
        <nav aria-label="Pages of the log" className="mt-6 flex gap-6 font-medium">
          {search && <Link to="/settings/activity">Back to the newest</Link>}
          {next && <Link to={`/settings/activity?after=${next}`}>Older</Link>}
        </nav>
      )}
    </>
  );
}
