import { StartupError } from '#app/config/startup-error.ts';

/** Where the data is kept, as DATABASE_URL says. */
export type DatabaseAddress =
  | {
      provider: 'sqlite';
      /** Path of the file, as given: relative to the current directory. */
      file: string;
    }
  | {
      provider: 'postgresql';
      /** For the driver; it holds the password. */
      connectionString: string;
      /** The schema that holds the tables. */
      schema: string;
      /** Connections at most; null: the driver's default. */
      maxConnections: number | null;
    };

export type DatabaseProvider = DatabaseAddress['provider'];

const DEFAULT_SCHEMA = 'public';

/**
 * Reads a DATABASE_URL: `file:` and a path, or `postgresql://` (`postgres://`) as Prisma takes it,
 * with `schema` and `connection_limit` among the parameters.
 *
 * @throws {StartupError} naming DATABASE_URL. The value is never shown: it may hold a password.
 */
export function parseDatabaseUrl(databaseUrl: string): DatabaseAddress {
  if (databaseUrl.startsWith('file:')) return parseFileUrl(databaseUrl);
  if (/^postgres(ql)?:\/\//.test(databaseUrl)) return parsePostgresUrl(databaseUrl);
  throw new StartupError(
    'DATABASE_URL must start with file: (SQLite) or postgresql:// (PostgreSQL), as in file:./data/latchkey.db.',
  );
}

function parseFileUrl(databaseUrl: string): DatabaseAddress {
  // Parameters of older Prisma versions, which mean nothing to this driver.
  const path = databaseUrl.slice('file:'.length).replace(/\?.*$/s, '');
  if (path === '' || path.startsWith(':memory:') || /^\/\/[^/]/.test(path)) {
    throw new StartupError(
      'DATABASE_URL must name a file on this machine after file:, as in file:./data/latchkey.db.',
    );
  }
  return { provider: 'sqlite', file: path.replace(/^\/\/\//, '/') };
}

function parsePostgresUrl(databaseUrl: string): DatabaseAddress {
  const url = URL.canParse(databaseUrl) ? new URL(databaseUrl) : null;
  // An "@" behind the host is the end of a password that holds a bare "/", "?" or "#": what looks
  // like host and port is a part of it then, and must not be shown or connected to.
  if (!url || /@/.test(url.pathname + url.search + url.hash)) {
    throw new StartupError(
      'DATABASE_URL is not a usable PostgreSQL URL; write it as postgresql://user:password@host:5432/database, with special characters of the password percent-encoded (# is %23, / is %2F, @ is %40).',
    );
  }
  const schema = url.searchParams.get('schema') ?? DEFAULT_SCHEMA;
  const limit = Number(url.searchParams.get('connection_limit'));
  url.searchParams.delete('schema');
  url.searchParams.delete('connection_limit');
  return {
    provider: 'postgresql',
    connectionString: url.href,
    schema,
    maxConnections: Number.isInteger(limit) && limit > 0 ? limit : null,
  };
}

/** A name as SQL wants it between double quotes. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
