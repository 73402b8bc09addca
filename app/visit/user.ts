/** The columns of a user that are read with each session, in the same statement. */
export const USER_COLUMNS = ['id', 'email', 'name'] as const;
/** Values from other tables, read likewise; null if there is no row. `u` is the row of the user. */
export const USER_SUBQUERIES = {
  /** Names the picture; see `Pictures`. */
  picture: 'SELECT p."digest" FROM "Picture" p WHERE p."userId" = u."id"',
} as const;

export type UserColumn = (typeof USER_COLUMNS)[number];
export type UserSubquery = keyof typeof USER_SUBQUERIES;
export type User = Record<UserColumn, string> & Record<UserSubquery, string | null>;
