/** What Prisma's driver adapters say about a failed query. */
interface DriverCause {
  kind: string;
  originalCode?: string;
  originalMessage?: string;
  table?: string;
  constraint?: { fields?: string[]; index?: string };
}

// The generated clients are two, and the server is bundled apart from the pages: `instanceof`
// would tell apart what is the same.

/** Prisma's codes for a database that is down, busy, full, or not the one that the models describe. */
const UNAVAILABLE_CODES = new Set([
  'P1000',
  'P1001',
  'P1002',
  'P1003',
  'P1008',
  'P1010',
  'P1011',
  'P1017',
  'P2021',
  'P2022',
  'P2024',
  'P2028',
  'P2034',
  'P2037',
]);

/** The same, as the adapters say it of statements that were written by hand. */
const UNAVAILABLE_KINDS = new Set([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TlsConnectionError',
  'DatabaseDoesNotExist',
  'DatabaseAccessDenied',
  'AuthenticationFailed',
  'TooManyConnections',
  'TransactionWriteConflict',
  'TableDoesNotExist',
  'ColumnNotFound',
]);

const SQLITE_UNAVAILABLE =
  /^SQLITE_(BUSY|LOCKED|IOERR|CORRUPT|NOTADB|FULL|CANTOPEN|READONLY|PERM|NOMEM|PROTOCOL)/;

/**
 * Classes of PostgreSQL's codes: connection, authorization, resources, operator, system, internal;
 * and no such database, table or column, read-only (a replica after a failover), no privilege, lock not available.
 */
const POSTGRES_UNAVAILABLE =
  /^(08|28|53|57|58|XX|3D000$|25006$|42501$|42P01$|42703$|55P03$|40001$|40P01$)/;

const NETWORK_UNAVAILABLE =
  /^(ECONN(REFUSED|RESET|ABORTED)|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EPIPE)$/;

/** Errors that the drivers throw without any code. */
const DRIVER_MESSAGES = [
  'timeout exceeded when trying to connect',
  'timeout expired',
  'Connection terminated',
  'Client has encountered a connection error',
  'Client was closed and is not queryable',
  'Cannot use a pool after calling end on the pool',
  'The database connection is not open',
  // SQLite has one code for whatever is wrong with a statement.
  'no such table: ',
  'no such column: ',
];

/** As the drivers say it of statements that were written by hand. */
const FOREIGN_KEY_CODES = new Set(['23503', 'SQLITE_CONSTRAINT_FOREIGNKEY']);

/** How far to follow `cause`. */
const DEPTH = 5;

/**
 * True when the write was refused because another row holds this value of `field` already.
 *
 * PostgreSQL names the index and not the field: it is recognised by the name that Prisma gives it
 * (`Table_field_key`); that of a primary key does not tell, and counts as `id`.
 */
export function isUniqueViolation(error: unknown, field: string): boolean {
  const cause = driverCauseOf(error);
  if (cause?.kind !== 'UniqueConstraintViolation') return false;
  const { fields, index } = cause.constraint ?? {};
  return (fields ?? fieldsOfIndex(index ?? '', cause.table)).includes(field);
}

function fieldsOfIndex(index: string, table: string | undefined): string[] {
  const prefix = table === undefined ? /^[^_]*_/ : `${table}_`;
  const rest = index.replace(prefix, '');
  return rest === 'pkey' ? ['id'] : rest.replace(/_key$/, '').split('_');
}

/** True when the write was refused because the row that it belongs to is gone. */
export function isForeignKeyViolation(error: unknown): boolean {
  return driverCauseOf(error)?.kind === 'ForeignKeyConstraintViolation';
}

/**
 * True when a write was refused because the row that it belongs to is gone, or because it was to change
 * a row that is: somebody's account was erased at that moment. Also when it is the cause of the error.
 */
export function isUserGone(error: unknown): boolean {
  let current = error;
  for (let depth = 0; depth < DEPTH && current instanceof Error; depth += 1) {
    const { code, meta } = current as { code?: unknown; meta?: { modelName?: unknown } };
    if (code === 'P2003' || (code === 'P2025' && meta?.modelName === 'User')) return true;
    const cause = driverCauseOf(current);
    if (cause?.kind === 'ForeignKeyConstraintViolation') return true;
    if (FOREIGN_KEY_CODES.has(cause?.originalCode ?? '')) return true;
    current = current.cause;
  }
  return false;
}

/**
 * True when the database could not answer: it is down, locked, out of connections or space,
 * damaged, or lacks the tables. Nothing may be concluded then; answer 503. False for what the
 * database did answer (a constraint, no such record) and for mistakes of the program.
 *
 * A refused network connection of anything else looks the same: wrap such errors before they get
 * here.
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  let current = error;
  for (let depth = 0; depth < DEPTH && current instanceof Error; depth += 1) {
    if (isUnavailableError(current)) return true;
    current = current.cause;
  }
  return false;
}

function isUnavailableError(error: Error): boolean {
  const { code } = error as { code?: unknown };
  // Connecting failed before there was a query.
  if (error.name === 'PrismaClientInitializationError') return true;
  const cause = driverCauseOf(error);
  if (cause) {
    const originalCode = cause.originalCode ?? '';
    return (
      UNAVAILABLE_KINDS.has(cause.kind) ||
      SQLITE_UNAVAILABLE.test(originalCode) ||
      // Five characters, as every SQLSTATE: "SQLITE_…" is none.
      (originalCode.length === 5 && POSTGRES_UNAVAILABLE.test(originalCode))
    );
  }
  if (typeof code === 'string' && code !== 'SQLITE_ERROR') {
    return (
      UNAVAILABLE_CODES.has(code) ||
      SQLITE_UNAVAILABLE.test(code) ||
      NETWORK_UNAVAILABLE.test(code) ||
      (code.length === 5 && POSTGRES_UNAVAILABLE.test(code))
    );
  }
  return DRIVER_MESSAGES.some((message) => error.message.startsWith(message));
}

function driverCauseOf(error: unknown): DriverCause | null {
  const { meta, cause } = (error ?? {}) as {
    meta?: { driverAdapterError?: { cause?: DriverCause } } | null;
    cause?: unknown;
  };
  if (meta?.driverAdapterError?.cause) return meta.driverAdapterError.cause;
  const isAdapterError = error instanceof Error && error.name === 'DriverAdapterError';
  return isAdapterError ? (cause as DriverCause) : null;
}
