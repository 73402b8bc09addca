import type { Database } from '#app/db.server.ts';

/** Codes of an authenticator app as a second factor (RFC 6238). */
export interface Totp {
  /** True when this user signs in with a second factor. */
  isOn(userId: string): Promise<boolean>;
}

export function createTotp({ db }: { db: Database['client'] }): Totp {
  return {
    async isOn(userId) {
      return (await db.totp.count({ where: { userId } })) > 0;
    },
  };
}
