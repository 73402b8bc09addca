import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node';
import { Link, Outlet, useFetcher, useLoaderData, useSearchParams } from '@remix-run/react';
import { useCallback } from 'react';
import { viewToken } from '#app/tokens/token-view.server.ts';
import { viewDevice } from '#app/devices/device-view.server.ts';
import { proofText } from '#app/visit/proof.ts';
import { requireSignedIn } from '#app/http/signed-in.server.ts';
import { ButtonLink } from '#app/ui/button.tsx';
import { SettingsHeading } from '#app/ui/page.tsx';
import { EndedSessions, SessionList } from './session-list.tsx';
import { useSessionsChanged } from '#app/live/session-messages.ts';
import { TokenList, type ListedToken } from '#app/tokens/token-list.tsx';

export const meta: MetaFunction = () => [
  { title: 'Your sessions · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const PAGE_ROWS = 100;
const ENDED_ROWS = 20;

export async function loader(args: LoaderFunctionArgs) {
  const { context, request } = args;
  const { session: current, user } = await requireSignedIn(args);
  const after = parsePosition(new URL(request.url).searchParams.get('after'));
  const [{ live, ended, next }, tokens] = await Promise.all([
    context.sessions.list(user.id, context.now, {
      limit: PAGE_ROWS,
      after,
      endedLimit: after ? 0 : ENDED_ROWS,
    }),
    context.tokens.list(user.id, context.now),
  ]);
  const others = live.filter(({ id }) => id !== current.id);
  // The one that asks stands first, wherever its last activity would put it.
  const shown = after ? others : [current, ...others];
  return {
    now: context.now.toISOString(),
    sessions: shown.map((session) => viewDevice({ ...context, proofText }, session, current.id)),
    ended: ended.map((session) => viewDevice({ ...context, proofText }, session, current.id)),
    tokens: tokens.live.map(viewToken),
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
  const { now, sessions, tokens, ended, otherCount, isFirstPage, next } = useLiveList();
  // Whoever has no other device may still have tokens to be rid of.
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

/** Programs of the person, beside their devices. */
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
