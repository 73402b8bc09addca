import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node';
import { Link, Outlet, useFetcher, useLoaderData, useSearchParams } from '@remix-run/react';
import { useCallback } from 'react';
import { viewSession } from '#app/account/session-view.server.ts';
import { proofText } from '#app/credentials/proof.ts';
import { requireSession } from '#app/http/guards.server.ts';
import { ButtonLink } from '#app/ui/button.tsx';
import { SettingsHeading } from '#app/ui/page.tsx';
import { EndedSessions, SessionList } from '#app/ui/session-list.tsx';
import { useSessionsChanged } from '#app/ui/session-news.ts';

export const meta: MetaFunction = () => [
  { title: 'Your sessions · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const PAGE_ROWS = 100;
const ENDED_ROWS = 20;

export async function loader(args: LoaderFunctionArgs) {
  const { context, request } = args;
  const { session: current, person } = await requireSession(args);
  const after = parsePosition(new URL(request.url).searchParams.get('after'));
  const { live, ended, next } = await context.sessions.list(person.id, context.now, {
    limit: PAGE_ROWS,
    after,
    endedLimit: after ? 0 : ENDED_ROWS,
  });
  const others = live.filter(({ id }) => id !== current.id);
  // The one that asks stands first, wherever its last activity would put it.
  const shown = after ? others : [current, ...others];
  return {
    now: context.now.toISOString(),
    sessions: shown.map((session) => viewSession({ ...context, proofText }, session, current.id)),
    ended: ended.map((session) => viewSession({ ...context, proofText }, session, current.id)),
    otherCount: others.length,
    isFirstPage: after === null,
    next: next && `${next.lastSeenAt.getTime()}.${next.id}`,
  };
}

/** Where a page of the list begins, as the link to it says; null: at the start. */
function parsePosition(text: string | null) {
  const match = /^(\d{1,15})\.([\w-]{1,64})$/.exec(text ?? '');
  return match?.[1] && match[2] ? { lastSeenAt: new Date(Number(match[1])), id: match[2] } : null;
}

/** The list as it is now: loaded anew when a session came or went, and nothing around it with it. */
function useLiveList() {
  const loaded = useLoaderData<typeof loader>();
  const after = useSearchParams()[0].get('after') ?? '';
  const { data: live, load } = useFetcher<typeof loader>({ key: `sessions ${after}` });
  const query = new URLSearchParams({ ...(after && { after }), live: '' });
  const path = `/settings/sessions?${query}`;
  useSessionsChanged(useCallback(() => load(path), [load, path]));
  return live && live.now >= loaded.now ? live : loaded;
}

export default function Sessions() {
  const { now, sessions, ended, otherCount, isFirstPage, next } = useLiveList();
  const count = next ? `${otherCount}+` : String(otherCount);
  return (
    <>
      <Outlet />
      <SettingsHeading
        title="Your sessions"
        lead={
          otherCount === 0 && isFirstPage
            ? 'This is the only device where you are signed in.'
            : 'Every device where you are signed in. If you do not know one, sign it out and change your password.'
        }
        action={
          otherCount > 0 && (
            <ButtonLink to="/settings/sessions/others/sign-out" preventScrollReset className="px-4">
              Sign out everywhere else
              <span className="rounded-full bg-sunken px-2 text-small text-muted">{count}</span>
            </ButtonLink>
          )
        }
      />
      <SessionList sessions={sessions} now={now} />
      {(next ?? !isFirstPage) && (
        <nav aria-label="Pages of the list" className="mt-6 flex gap-6 font-medium">
          {!isFirstPage && <Link to="/settings/sessions">Back to the newest</Link>}
          {next && <Link to={`/settings/sessions?after=${next}`}>Older sessions</Link>}
        </nav>
      )}
      {ended.length > 0 && <EndedSessions sessions={ended} now={now} />}
    </>
  );
}
