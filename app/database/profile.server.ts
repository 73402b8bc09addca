import * as z from 'zod';
import type { Database } from './database.server.ts';

const MAX_NAME_CHARACTERS = 80;

/** A person's name: anything they want to be called, on one line. */
export const userNameSchema = z
  .string('Enter your name.')
  .trim()
  .min(1, 'Enter your name.')
  .max(MAX_NAME_CHARACTERS, `Use at most ${MAX_NAME_CHARACTERS} characters.`)
  .regex(/^\P{Cc}+$/u, 'Leave out line breaks and other control characters.');

/** Changes what the person is called. */
export async function renameUser(
  db: Database['client'],
  userId: string,
  name: string,
  now: Date,
): Promise<void> {
  const data = { name, updatedAt: now };
  await db.user.update({ where: { id: userId }, data, select: { id: true } });
}
