import { Link } from '@remix-run/react';
import { KeySquare } from 'lucide-react';
import { RelativeTime } from '#app/ui/relative-time.tsx';
import { discoverInRow, type RowDiscovery } from '#app/ui/row-discovery.ts';

/** A personal access token in the list. */
export interface ListedToken {
  id: string;
  name: string;
  /** "See sessions, Manage sessions". */
  allows: string;
  createdAt: string;
  lastUsedAt: string | null;
  expiresAt: string;
}

interface TokenListProps {
  tokens: ListedToken[];
  /** The server's time when the page was rendered. */
  now: string;
}

/** A user's access tokens, each with what it may do and when it was last used. */
export function TokenList({ tokens, now }: TokenListProps) {
  return (
    <ul aria-label="Access tokens" className="grid">
      {tokens.map((token, index) => (
        <li key={token.id} className="border-b border-line last:border-0">
          <TokenRow token={token} now={now} discover={discoverInRow(index)} />
        </li>
      ))}
    </ul>
  );
}

interface TokenRowProps {
  token: ListedToken;
  now: string;
  discover: RowDiscovery;
}

function TokenRow({ token, now, discover }: TokenRowProps) {
  const { id, name, allows, createdAt, lastUsedAt, expiresAt } = token;
  return (
    <div className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 py-5 sm:grid-cols-[auto_minmax(0,1fr)_auto]">
      <KeySquare aria-hidden className="mt-0.5 size-6 text-muted" strokeWidth={1.5} />
      <div className="grid gap-1">
        <p>
          <strong className="font-semibold wrap-anywhere">{name}</strong>
        </p>
        <p className="text-small text-muted">Access token · {allows || 'Nothing any more'}</p>
        <p className="text-small text-muted">
          <RelativeTime at={createdAt} now={now} prefix="Made" />
          {' · '}
          <RelativeTime at={expiresAt} now={now} prefix="Ends" />
        </p>
      </div>
      <div className="col-start-2 mt-2 flex flex-wrap items-center justify-between gap-x-4 sm:col-start-3 sm:mt-0 sm:grid sm:content-between sm:justify-items-end">
        <p className="text-small text-muted">
          {lastUsedAt === null ? (
            'Not used yet'
          ) : (
            <RelativeTime at={lastUsedAt} now={now} prefix="Used" />
          )}
        </p>
        <Link
          to={`/settings/tokens/${id}/revoke`}
          discover={discover}
          preventScrollReset
          aria-label={`Revoke ${name}`}
          className="-mr-3 inline-flex min-h-11 items-center rounded-xl px-3 text-small font-medium hover:bg-danger-glow hover:text-danger sm:min-h-9"
        >
          Revoke
        </Link>
      </div>
    </div>
  );
}
