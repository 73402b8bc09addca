import { Link } from '@remix-run/react';
import { Fingerprint, Pencil } from 'lucide-react';
import { RelativeTime } from '#app/ui/relative-time.tsx';
import { discoverInRow, type RowDiscovery } from '#app/ui/row-discovery.ts';

/** What the list shows of a passkey. */
interface ListedPasskey {
  id: string;
  name: string;
  /** "iCloud Keychain"; `null` if it is unknown. */
  keeper: string | null;
  isBackedUp: boolean;
  createdAt: string;
  lastUsedAt: string | null;
}

interface PasskeyListProps {
  passkeys: ListedPasskey[];
  /** The server's time when it rendered the page. */
  now: string;
}

/** Lists a user's passkeys, each with links to rename and remove it. */
export function PasskeyList({ passkeys, now }: PasskeyListProps) {
  return (
    <ul aria-label="Passkeys" className="grid">
      {passkeys.map((passkey, index) => (
        <li key={passkey.id} className="border-b border-line last:border-0">
          <PasskeyRow passkey={passkey} now={now} discover={discoverInRow(index)} />
        </li>
      ))}
    </ul>
  );
}

interface PasskeyRowProps {
  passkey: ListedPasskey;
  now: string;
  discover: RowDiscovery;
}

function PasskeyRow({ passkey, now, discover }: PasskeyRowProps) {
  const { id, name, keeper, isBackedUp, createdAt, lastUsedAt } = passkey;
  const where = isBackedUp ? 'Synced to your other devices' : 'On this one device only';
  return (
    <div className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 py-5 sm:grid-cols-[auto_minmax(0,1fr)_auto]">
      <Fingerprint aria-hidden className="mt-0.5 size-6 text-muted" strokeWidth={1.5} />
      <div className="grid gap-1">
        <p>
          <strong className="font-semibold">{name}</strong>
        </p>
        <p className="text-small text-muted">
          {keeper !== null && keeper !== name && `${keeper} · `}
          {where}
        </p>
        <p className="text-small text-muted">
          <RelativeTime at={createdAt} now={now} prefix="Added" />
          {' · '}
          {lastUsedAt === null ? (
            'Not used yet'
          ) : (
            <RelativeTime at={lastUsedAt} now={now} prefix="Used" />
          )}
        </p>
      </div>
      <div className="col-start-2 mt-2 -mr-3 flex items-center justify-end sm:col-start-3 sm:mt-0">
        <Link
          to={`/settings/passkeys/${id}/name`}
          discover={discover}
          preventScrollReset
          aria-label={`Rename ${name}`}
          title="Rename this passkey"
          className="grid size-11 place-items-center rounded-xl text-muted hover:bg-sunken hover:text-ink sm:size-9"
        >
          <Pencil aria-hidden className="size-4" strokeWidth={1.75} />
        </Link>
        <Link
          to={`/settings/passkeys/${id}/remove`}
          discover={discover}
          preventScrollReset
          aria-label={`Remove ${name}`}
          className="inline-flex min-h-11 items-center rounded-xl px-3 text-small font-medium hover:bg-danger-glow hover:text-danger sm:min-h-9"
        >
          Remove
        </Link>
      </div>
    </div>
  );
}
