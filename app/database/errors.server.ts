/** The cause that Prisma's driver adapters report for a failed query. */
interface DriverCause {
  kind: string;
  originalCode?: string;
  originalMessage?: string;
  table?: string;
  constraint?: { fields?: string[]; index?: string };
}

// No `instanceof` in this file: there are two generated clients, and the server is bundled separately
// from the pages, so the same error class exists several times.

/** Prisma's codes for a database that is down, busy or full, or lacks the tables of the models. */
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

/** The same failures, as the adapters report them for raw SQL. */
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
 * PostgreSQL codes, by class: connection, authorization, resources, operator, system, internal; and
 * single codes: no such database, table or column, read-only (a replica after a failover), no
 * privilege, lock not available, serialization failure, deadlock.
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
  // SQLite has one code for all errors in a statement, so only the message tells.
  'no such table: ',
  'no such column: ',
];

/** Codes that the drivers report for raw SQL. */
const FOREIGN_KEY_CODES = new Set(['23503', 'SQLITE_CONSTRAINT_FOREIGNKEY']);

/** How many levels of `cause` to follow. */
const DEPTH = 5;

/**
 * True if a write failed because another row already has this value of `field`.
 *
 * PostgreSQL reports the index instead of the field. The field is taken from the name that Prisma gives
 * the index (`Table_field_key`). The index of a primary key names no field, and counts as `id`.
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

/** True if a write failed because the row that it refers to does not exist. */
export function isForeignKeyViolation(error: unknown): boolean {
  return driverCauseOf(error)?.kind === 'ForeignKeyConstraintViolation';
}

/**
 * True if a write failed because the row that it refers to, or the user that it updates, no longer
 * exists: the account was deleted at that moment. Also checks the causes of the error.
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
 * True if the database could not answer: it is down, locked, out of connections or disk space,
 * damaged, or lacks the tables. Answer 503: an outage says nothing about a user or a session. False
 * for an answer of the database (a violated constraint, no such record) and for programming mistakes.
 *
 * A refused network connection to any other server looks the same, so wrap such errors before they
 * reach this function.
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
  // The connection failed before any query.
  if (error.name === 'PrismaClientInitializationError') return true;
  const cause = driverCauseOf(error);
  if (cause) {
    const originalCode = cause.originalCode ?? '';
    return (
      UNAVAILABLE_KINDS.has(cause.kind) ||
      SQLITE_UNAVAILABLE.test(originalCode) ||
      // An SQLSTATE has five characters, which excludes "SQLITE_…".
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
