import type { Database } from '#app/database/database.server.ts';
import { isForeignKeyViolation } from '#app/database/errors.server.ts';
import { encodePicture, type EncodedPicture, type Encoding } from './encode-picture.server.ts';

export type PictureSize = keyof Pick<EncodedPicture, 'small' | 'large'>;

/** Concurrent uploads. Each may hold three times its 10 MB in memory until it is done. */
const MAX_UPLOADS = 6;
const MAX_UPLOADS_PER_USER = 2;

/** The profile pictures of users. Every method throws if the database is down. */
export interface Pictures {
  /**
   * Reserves an upload slot, before the request's body is read. Returns the function that frees it;
   * `null` if no slot is free.
   */
  reserveSlot(userId: string): (() => void) | null;
  /** Converts a file to our pictures. Runs one at a time. */
  encode(file: Uint8Array): Promise<Encoding>;
  /** Saves the user's picture, and replaces an earlier one. False if the user is gone. */
  save(userId: string, picture: EncodedPicture, now: Date): Promise<boolean>;
  /** Returns the picture as WebP; `null` if this user has no such picture, or no longer. */
  find(userId: string, digest: string, size: PictureSize): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Deletes the user's picture. False if there was none. */
  remove(userId: string): Promise<boolean>;
}

/** Stores pictures in the database, so that every node, the backup and an erasure cover them. */
export function createPictures({ db }: { db: Database['client'] }): Pictures {
  const uploads = new Map<string, number>();
  let lastEncoding: Promise<unknown> = Promise.resolve();
  return {
    reserveSlot(userId) {
      const own = uploads.get(userId) ?? 0;
      const all = [...uploads.values()].reduce((sum, count) => sum + count, 0);
      if (own >= MAX_UPLOADS_PER_USER || all >= MAX_UPLOADS) return null;
      uploads.set(userId, own + 1);
      return () => {
        const left = (uploads.get(userId) ?? 1) - 1;
        if (left === 0) uploads.delete(userId);
        else uploads.set(userId, left);
      };
    },

    encode(file) {
      const encoding = lastEncoding.then(() => encodePicture(file));
      lastEncoding = encoding.catch(() => undefined);
      return encoding;
    },

    async save(userId, { small, large, digest }, now) {
      const row = { small, large, digest, updatedAt: now };
      try {
        await db.picture.upsert({
          where: { userId },
          create: { userId, ...row },
          update: row,
          select: { userId: true },
        });
        return true;
      } catch (error) {
        if (isForeignKeyViolation(error)) return false;
        throw error;
      }
    },

    async find(userId, digest, size) {
      const select = { small: size === 'small', large: size === 'large' };
      const row = await db.picture.findFirst({ where: { userId, digest }, select });
      return row?.[size] ?? null;
    },

    async remove(userId) {
      return (await db.picture.deleteMany({ where: { userId } })).count > 0;
    },
  };
}
