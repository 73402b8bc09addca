import { StartupError } from '#app/config/startup-error.ts';

/** A parsed DATABASE_URL. */
export type DatabaseAddress =
  | {
      provider: 'sqlite';
      /** Path of the file, as given: relative to the current directory. */
      file: string;
    }
  | {
      provider: 'postgresql';
      /** For the driver; contains the password. */
      connectionString: string;
      /** The schema that holds the tables. */
      schema: string;
      /** The most connections to open; `null`: the driver's default. */
      maxConnections: number | null;
    };

export type DatabaseProvider = DatabaseAddress['provider'];

const DEFAULT_SCHEMA = 'public';

/**
 * Parses a DATABASE_URL: `file:` and a path, or a `postgresql://` (`postgres://`) URL as Prisma
 * accepts it, with the optional parameters `schema` and `connection_limit`.
 *
 * @throws {StartupError} that names DATABASE_URL, never its value: that may contain a password.
 */
export function parseDatabaseUrl(databaseUrl: string): DatabaseAddress {
  if (databaseUrl.startsWith('file:')) return parseFileUrl(databaseUrl);
  if (/^postgres(ql)?:\/\//.test(databaseUrl)) return parsePostgresUrl(databaseUrl);
  throw new StartupError(
    'DATABASE_URL must start with file: (SQLite) or postgresql:// (PostgreSQL), as in file:./data/latchkey.db.',
  );
}

function parseFileUrl(databaseUrl: string): DatabaseAddress {
  // Drops parameters of older Prisma versions, which this driver does not have.
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
  // An "@" after the host means that the password contains an unencoded "/", "?" or "#". The parsed
  // host and port are then parts of the password, and must not be shown or connected to.
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

/** Quotes a name as an SQL identifier. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
