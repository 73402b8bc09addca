import type { EndReason, Session } from '../session.ts';
import type { StoredSession } from '../session-store.ts';

/** A row as Prisma returns it. */
export interface Row {
  id: string;
  secretHash: string;
  userId: string;
  label: string | null;
  userAgent: string;
  ipAddress: string;
  country: string | null;
  remember: boolean;
  createdAt: Date;
  lastSeenAt: Date;
  expiresAt: Date;
  reauthenticatedAt: Date;
  revokedAt: Date | null;
  revokedReason: EndReason | null;
  revokedBy: string | null;
  meta: string | null;
}

export const PUBLIC_COLUMNS = [
  'id',
  'userId',
  'label',
  'userAgent',
  'ipAddress',
  'country',
  'remember',
  'createdAt',
  'lastSeenAt',
  'expiresAt',
  'reauthenticatedAt',
  'revokedAt',
  'revokedReason',
  'revokedBy',
  'meta',
] as const satisfies readonly (keyof Row)[];

export const COLUMNS = [...PUBLIC_COLUMNS, 'secretHash'] as const;

/** A value as a driver returns it: a time as a Date, as milliseconds or as text. */
type Value = string | number | boolean | Date | null;

/**
 * Returns the session of a row. Its values are in the order of {@link COLUMNS}, followed by those of
 * the user in the order of `userNames`.
 */
export function storedFrom<Meta, User>(
  values: readonly unknown[],
  userNames: readonly string[],
): StoredSession<Meta, User> {
  // By position, because destructuring an array uses its iterator, and every request calls this.
  const v = values as readonly Value[];
  const meta = v[14] as string | null;
  return {
    record: {
      id: v[0] as string,
      userId: v[1] as string,
      label: v[2] as string | null,
      userAgent: v[3] as string,
      ipAddress: v[4] as string,
      country: v[5] as string | null,
      remember: Boolean(v[6]),
      createdAt: toDate(v[7]),
      lastSeenAt: toDate(v[8]),
      expiresAt: toDate(v[9]),
      reauthenticatedAt: toDate(v[10]),
      revokedAt: v[11] === null ? null : toDate(v[11]),
      revokedReason: v[12] as EndReason | null,
      revokedBy: v[13] as string | null,
      meta: meta === null ? null : (JSON.parse(meta) as Meta),
      secretHash: v[15] as string,
    },
    user:
      userNames.length === 0
        ? null
        : (Object.fromEntries(
            userNames.map((name, index) => [name, v[COLUMNS.length + index]]),
          ) as User),
  };
}

function toDate(value: Value | undefined): Date {
  return value instanceof Date ? value : new Date(value as string | number);
}

export function toSession<Meta>(row: Row): Session<Meta> {
  const { meta, ...rest } = Object.fromEntries(
    PUBLIC_COLUMNS.map((column) => [column, row[column]]),
  ) as unknown as Omit<Row, 'secretHash'>;
  return { ...rest, meta: meta === null ? null : (JSON.parse(meta) as Meta) };
}

export function toJson(meta: unknown): string | null {
  return meta === null ? null : JSON.stringify(meta);
}
