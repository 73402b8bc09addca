import type { Database } from '#app/database/database.server.ts';
import { isForeignKeyViolation } from '#app/database/errors.server.ts';
import { encodePicture, type EncodedPicture, type Encoding } from './encode-picture.server.ts';

export type PictureSize = keyof Pick<EncodedPicture, 'small' | 'large'>;

/** Pictures that are read or made at the same time: each may hold thrice its 10 MB until it is done. */
const PLACES = 6;
const PLACES_PER_PERSON = 2;

/** The pictures by which people know their account. Everything throws when the database is down. */
export interface Pictures {
  /**
   * A place among those that are sending a picture just now, before any of it is read. Answers the
   * function that gives it back; null when all are taken.
   */
  reserveSlot(userId: string): (() => void) | null;
  /** Makes a picture of a file, one after the other. */
  encode(file: Uint8Array): Promise<Encoding>;
  /** Keeps it in place of the one before; false when the person is gone. */
  save(userId: string, picture: EncodedPicture, now: Date): Promise<boolean>;
  /** WebP; null when this person has no such picture (any more). */
  find(userId: string, digest: string, size: PictureSize): Promise<Uint8Array<ArrayBuffer> | null>;
  /** False when there was none. */
  remove(userId: string): Promise<boolean>;
}

/** Pictures in the database: so every node, the backup and the end of the account have them. */
export function createPictures({ db }: { db: Database['client'] }): Pictures {
  const sending = new Map<string, number>();
  let lastInLine: Promise<unknown> = Promise.resolve();
  return {
    reserveSlot(userId) {
      const own = sending.get(userId) ?? 0;
      const all = [...sending.values()].reduce((sum, count) => sum + count, 0);
      if (own >= PLACES_PER_PERSON || all >= PLACES) return null;
      sending.set(userId, own + 1);
      return () => {
        const left = (sending.get(userId) ?? 1) - 1;
        if (left === 0) sending.delete(userId);
        else sending.set(userId, left);
      };
    },

    encode(file) {
      const encoding = lastInLine.then(() => encodePicture(file));
      lastInLine = encoding.catch(() => undefined);
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
