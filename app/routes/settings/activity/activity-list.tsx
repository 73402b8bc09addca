import { Link } from '@remix-run/react';
import { ActivityIcon } from './activity-icon.tsx';
import { dayOf, dayText } from '#app/ui/calendar-day.ts';
import { useHydrated } from '#app/ui/use-hydrated.ts';
import { RelativeTime } from '#app/ui/relative-time.tsx';
import type { RowDiscovery } from '#app/ui/row-discovery.ts';

/** What the list shows of an entry. */
interface ListedActivity {
  id: string;
  kind: string;
  text: string;
  more: string | null;
  device: string;
  place: string;
  ipAddress: string;
  at: string;
  isHere: boolean;
  canBeDisputed: boolean;
}

interface ActivityListProps {
  entries: ListedActivity[];
  /** The server's time when it rendered the page. */
  now: string;
  /** The page's query, to which a dialog returns. */
  search: string;
}

/** Lists what happened, newest first, by day: in UTC at first, in the user's time zone after hydration. */
export function ActivityList({ entries, now, search }: ActivityListProps) {
  const timeZone = useHydrated() ? undefined : 'UTC';
  const firstWithLink = entries.find(({ canBeDisputed }) => canBeDisputed);
  return (
    <div className="grid gap-8">
      {groupByDay(entries, timeZone).map(([day, dayEntries]) => (
        <section key={day} aria-labelledby={`day-${day}`}>
          <h2 id={`day-${day}`} className="text-small font-medium text-muted">
            {dayText(dayEntries[0]!.at, now, timeZone)}
          </h2>
          <ul className="mt-1 grid">
            {dayEntries.map((entry) => (
              <li key={entry.id} className={rowClassName(entry)}>
                <Entry
                  entry={entry}
                  now={now}
                  search={search}
                  discover={entry === firstWithLink ? 'render' : 'none'}
                />
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

const rowClassName = ({ kind }: ListedActivity) =>
  kind === 'sign-in-failed'
    ? '-mx-4 my-1 rounded-2xl bg-danger-glow px-4'
    : 'border-b border-line last:border-0';

interface EntryProps {
  entry: ListedActivity;
  now: string;
  search: string;
  discover: RowDiscovery;
}

function Entry({ entry, now, search, discover }: EntryProps) {
  const { id, kind, text, more, device, place, ipAddress, at, isHere, canBeDisputed } = entry;
  const isFailure = kind === 'sign-in-failed';
  return (
    <div className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 py-4 sm:grid-cols-[auto_minmax(0,1fr)_auto]">
      <ActivityIcon
        kind={kind}
        className={`mt-0.5 size-5 ${isFailure ? 'text-danger' : 'text-muted'}`}
      />
      <div className="grid gap-1">
        <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <strong className="font-semibold wrap-anywhere">{text}</strong>
          {isHere && <span className="text-small font-medium text-accent-strong">This device</span>}
        </p>
        {more && <p className="text-small">{more}</p>}
        <p className="text-small text-muted">
          {[device, place, ipAddress].filter(Boolean).join(' · ')}
        </p>
      </div>
      <div className="col-start-2 mt-1 flex flex-wrap items-center justify-between gap-x-4 sm:col-start-3 sm:mt-0 sm:grid sm:content-between sm:justify-items-end">
        <p className="text-small text-muted">
          <RelativeTime at={at} now={now} />
        </p>
        {canBeDisputed && (
          <Link
            to={`/settings/activity/${id}/not-me${search}`}
            discover={discover}
            preventScrollReset
            aria-label={`This wasn’t me: ${text}, ${device}`}
            className="-mr-3 inline-flex min-h-11 items-center rounded-xl px-3 text-small font-medium hover:bg-danger-glow hover:text-danger sm:min-h-9"
          >
            This wasn’t me
          </Link>
        )}
      </div>
    </div>
  );
}

type Day = [day: string, entries: ListedActivity[]];

/** Groups entries by day. They are in order already, so a day ends where the next one begins. */
function groupByDay(entries: ListedActivity[], timeZone: string | undefined): Day[] {
  const days: Day[] = [];
  for (const entry of entries) {
    const day = dayOf(entry.at, timeZone);
    const last = days.at(-1);
    if (last?.[0] === day) last[1].push(entry);
    else days.push([day, [entry]]);
  }
  return days;
}
