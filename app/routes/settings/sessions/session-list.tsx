import { Link } from '@remix-run/react';
import { ChevronRight, Pencil } from 'lucide-react';
import { DeviceIcon } from '#app/devices/device-icon.tsx';
import { RelativeTime } from '#app/ui/relative-time.tsx';
import { discoverInRow, type RowDiscovery } from '#app/ui/row-discovery.ts';

/** What the list shows of a session. */
interface ListedSession {
  id: string;
  kind: 'computer' | 'phone' | 'tablet' | 'program' | 'unknown';
  name: string;
  label: string | null;
  detail: string;
  place: string;
  ipAddress: string;
  createdAt: string;
  provenBy: string | null;
  lastSeenAt: string;
  expiresAt: string;
  endsWhenUnused: boolean;
  isCurrent: boolean;
  ended: { at: string; how: string } | null;
}

interface SessionListProps {
  sessions: ListedSession[];
  /** The server's time when it rendered the page. */
  now: string;
}

const ACTIVE_NOW_MS = 120_000;

/** Lists live sessions; the current one is highlighted. */
export function SessionList({ sessions, now }: SessionListProps) {
  return (
    <ul aria-label="Signed-in devices" className="grid">
      {sessions.map((session, index) => (
        <li
          key={session.id}
          className={
            session.isCurrent
              ? '-mx-4 mb-3 rounded-2xl bg-glow px-4'
              : 'border-b border-line last:border-0'
          }
        >
          <SessionRow session={session} now={now} discover={discoverInRow(index)} />
        </li>
      ))}
    </ul>
  );
}

interface SessionRowProps {
  session: ListedSession;
  now: string;
  discover: RowDiscovery;
}

function SessionRow({ session, now, discover }: SessionRowProps) {
  const { id, kind, name, label, isCurrent } = session;
  return (
    <div className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 py-5 sm:grid-cols-[auto_minmax(0,1fr)_auto]">
      <DeviceIcon kind={kind} className="mt-0.5 size-6 text-muted" />
      <div className="grid gap-1">
        <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <strong className="font-semibold">{name}</strong>
          {isCurrent && <ThisDevice />}
        </p>
        <p className="text-small text-muted">
          {[session.place, session.ipAddress, session.detail].filter(Boolean).join(' · ')}
        </p>
        <p className="text-small text-muted">
          <RelativeTime at={session.createdAt} now={now} prefix="Signed in" />
          {session.provenBy && ` with ${session.provenBy}`}
          {' · '}
          <Ends session={session} now={now} />
        </p>
      </div>
      <div className="col-start-2 mt-2 flex flex-wrap items-center justify-between gap-x-4 sm:col-start-3 sm:mt-0 sm:grid sm:content-between sm:justify-items-end">
        <p className="text-small text-muted">
          <LastSeen session={session} now={now} />
        </p>
        <div className="-mr-3 flex">
          <Link
            to={`/settings/sessions/${id}/name`}
            discover={discover}
            preventScrollReset
            aria-label={`${label ? 'Rename' : 'Name'} ${name}`}
            title={label ? 'Rename this device' : 'Name this device'}
            className="grid size-11 place-items-center rounded-xl text-muted hover:bg-sunken hover:text-ink sm:size-9"
          >
            <Pencil aria-hidden className="size-4" strokeWidth={1.75} />
          </Link>
          {!isCurrent && (
            <Link
              to={`/settings/sessions/${id}/sign-out`}
              discover={discover}
              preventScrollReset
              aria-label={`Sign out ${name}`}
              className="inline-flex min-h-11 items-center rounded-xl px-3 text-small font-medium hover:bg-danger-glow hover:text-danger sm:min-h-9"
            >
              Sign out
            </Link>
          )}
        </div>
      </div>
    </div>
  );
}

function ThisDevice() {
  return (
    <span className="inline-flex items-center gap-2 text-small font-medium text-accent-strong">
      <span aria-hidden className="lit size-2 rounded-full" />
      This device
    </span>
  );
}

function LastSeen({ session, now }: { session: ListedSession; now: string }) {
  const sinceMs = new Date(now).getTime() - new Date(session.lastSeenAt).getTime();
  if (session.isCurrent || sinceMs < ACTIVE_NOW_MS) return 'Active now';
  return <RelativeTime at={session.lastSeenAt} now={now} prefix="Active" />;
}

function Ends({ session, now }: { session: ListedSession; now: string }) {
  return (
    <>
      <RelativeTime at={session.expiresAt} now={now} prefix="Ends" />
      {session.endsWhenUnused && ' if unused'}
    </>
  );
}

/** Lists ended sessions that are still stored, in a collapsed section. */
export function EndedSessions({ sessions, now }: SessionListProps) {
  return (
    <details className="group mt-10 border-t border-line pt-4">
      <summary className="-mx-2 flex min-h-11 list-none items-center gap-2 rounded-xl px-2 font-medium text-muted hover:text-ink">
        <ChevronRight aria-hidden className="size-4 transition-transform group-open:rotate-90" />
        Recently ended
        <span className="rounded-full bg-sunken px-2 text-small">{sessions.length}</span>
      </summary>
      <ul className="mt-2 grid">
        {sessions.map((session) => (
          <li
            key={session.id}
            className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 border-b border-line py-4 text-muted last:border-0"
          >
            <DeviceIcon kind={session.kind} className="mt-0.5 size-6" />
            <div className="grid gap-1">
              <p className="font-medium">{session.name}</p>
              <p className="text-small">
                {[session.place, session.ipAddress, session.detail].filter(Boolean).join(' · ')}
              </p>
              {session.ended && (
                <p className="text-small">
                  {session.ended.how},
                  <RelativeTime at={session.ended.at} now={now} />
                </p>
              )}
            </div>
          </li>
        ))}
      </ul>
    </details>
  );
}
