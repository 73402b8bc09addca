import type { LoaderFunctionArgs } from '@remix-run/node';
import { Link, Outlet, useFetcher, useLoaderData, useSearchParams } from '@remix-run/react';
import { useCallback } from 'react';
import { viewToken } from '#app/tokens/token-view.server.ts';
import { viewDevice } from '#app/devices/device-view.server.ts';
import { ButtonLink } from '#app/ui/button.tsx';
import { SettingsHeading } from '#app/ui/page.tsx';
import { EndedSessions, SessionList } from './session-list.tsx';
import { useSessionsChanged } from '#app/live/session-messages.ts';
import { TokenList, type ListedToken } from '#app/tokens/token-list.tsx';
import type { Session } from '#app/sessions/index.ts';
import type { SessionMeta } from '#app/visit/proof.ts';
import { requireSignedIn } from '#app/visit/visit.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Your sessions', { index: false });

const PAGE_ROWS = 100;
const ENDED_ROWS = 20;

export async function loader({ request, context: { app, visit } }: LoaderFunctionArgs) {
  const { session: current, user } = await requireSignedIn(visit);
  const { now } = visit;
  const after = parsePosition(new URL(request.url).searchParams.get('after'));
  const [{ live, ended, next }, tokens] = await Promise.all([
    app.sessions.list(user.id, now, {
      limit: PAGE_ROWS,
      after,
      endedLimit: after ? 0 : ENDED_ROWS,
    }),
    app.accessTokens.list(visit, user.id),
  ]);
  const others = live.filter(({ id }) => id !== current.id);
  // The current session comes first, whatever its last activity.
  const shown = after ? others : [current, ...others];
  const view = (session: Session<SessionMeta>) =>
    viewDevice({ places: app.places, sessions: app.sessions, now }, session, current.id);
  return {
    now: now.toISOString(),
    sessions: shown.map(view),
    ended: ended.map(view),
    tokens: tokens.map(viewToken),
    otherCount: others.length,
    isFirstPage: after === null,
    next: next && `${next.lastSeenAt.getTime()}.${next.id}`,
  };
}

/** Returns the position that a page's link names; `null` for the first page. */
function parsePosition(text: string | null) {
  const match = /^(\d{1,15})\.([\w-]{1,64})$/.exec(text ?? '');
  return match?.[1] && match[2] ? { lastSeenAt: new Date(Number(match[1])), id: match[2] } : null;
}

/** Returns the list, and reloads it alone, without the rest of the page, when a session starts or ends. */
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
  const { now, sessions, tokens, ended, otherCount, isFirstPage, next } = useLiveList();
  // A user without other devices may still want to revoke tokens.
  const hasOthers = otherCount > 0 || tokens.length > 0;
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
          hasOthers && (
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
      {isFirstPage && <Tokens tokens={tokens} now={now} />}
      {ended.length > 0 && <EndedSessions sessions={ended} now={now} />}
    </>
  );
}

/** Lists the user's access tokens below their devices. */
function Tokens({ tokens, now }: { tokens: ListedToken[]; now: string }) {
  if (tokens.length === 0) {
    return (
      <p className="mt-8 text-small text-muted">
        <Link to="/settings/tokens" className="underline">
          Access tokens
        </Link>
        , for programs of yours: none.
      </p>
    );
  }
  return (
    <section aria-labelledby="tokens" className="mt-10">
      <div className="flex flex-wrap items-baseline justify-between gap-x-6">
        <h2 id="tokens" className="text-lead font-semibold">
          Access tokens
        </h2>
        <Link to="/settings/tokens" className="py-2 text-small underline">
          Make or revoke tokens
        </Link>
      </div>
      <TokenList tokens={tokens} now={now} />
    </section>
  );
}
