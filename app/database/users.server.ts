import * as z from 'zod';
import type { Database } from './database.server.ts';
import { isUniqueViolation } from './errors.server.ts';

const MAX_NAME_CHARACTERS = 80;

/** A user's name: any text on one line. */
export const userNameSchema = z
  .string('Enter your name.')
  .trim()
  .min(1, 'Enter your name.')
  .max(MAX_NAME_CHARACTERS, `Use at most ${MAX_NAME_CHARACTERS} characters.`)
  .regex(/^\P{Cc}+$/u, 'Leave out line breaks and other control characters.');

interface NewUser {
  email: string;
  name: string;
  /** What `Passwords.hash` returned; `null`: a user without a password. */
  passwordHash: string | null;
  /** When the user verified the address; `null` if they did not. */
  emailVerifiedAt: Date | null;
}

interface NewConnectedUser {
  name: string;
  /** A verified address of the user. */
  email: string;
  /** Columns of the connection; see `Connections.toConnectionColumns`. */
  connection: ConnectionColumns;
}

type Client = Database['client'];
type UserCreate = Parameters<Client['user']['create']>[0]['data'];
type ConnectionColumns = NonNullable<NonNullable<UserCreate['connections']>['create']>;

export type ConnectedUser =
  { state: 'created'; userId: string } | { state: 'email-taken' } | { state: 'already-connected' };

export interface UserSummary {
  id: string;
  name: string;
  email: string;
}

/** A user with the data that shows whether their security has changed since a pending step began. */
interface UserSecurity extends UserSummary {
  /** `null`: no password. */
  passwordChangedAt: Date | null;
}

export type Users = ReturnType<typeof createUsers>;

const SUMMARY = { id: true, name: true, email: true } as const;

/** Reads and writes the table of users. */
export function createUsers(db: Client) {
  return {
    /** Returns a user; `null` if there is none of this id. */
    find: (userId: string): Promise<UserSummary | null> =>
      db.user.findUnique({ where: { id: userId }, select: SUMMARY }),

    /** Returns the user with this e-mail; `null` if there is none. */
    findByEmail: (email: string): Promise<UserSummary | null> =>
      db.user.findUnique({ where: { email }, select: SUMMARY }),

    async findSecurity(userId: string): Promise<UserSecurity | null> {
      const user = await db.user.findUnique({
        where: { id: userId },
        select: { ...SUMMARY, password: { select: { changedAt: true } } },
      });
      if (!user) return null;
      const { password, ...summary } = user;
      return { ...summary, passwordChangedAt: password?.changedAt ?? null };
    },

    isEmailTaken: async (email: string): Promise<boolean> =>
      (await db.user.count({ where: { email } })) > 0,

    /** Creates a user and returns the id; `null` if the e-mail is taken. */
    async create(
      { email, name, passwordHash, emailVerifiedAt }: NewUser,
      now: Date,
    ): Promise<string | null> {
      const password =
        passwordHash === null
          ? {}
          : { password: { create: { hash: passwordHash, changedAt: now } } };
      try {
        const user = await db.user.create({
          data: { email, name, emailVerifiedAt, createdAt: now, updatedAt: now, ...password },
          select: { id: true },
        });
        return user.id;
      } catch (error) {
        if (isUniqueViolation(error, 'email')) return null;
        throw error;
      }
    },

    /** Creates a user without a password, who signs in with a provider. */
    async createConnected(
      { name, email, connection }: NewConnectedUser,
      now: Date,
    ): Promise<ConnectedUser> {
      try {
        const user = await db.user.create({
          data: {
            name,
            email,
            emailVerifiedAt: now,
            createdAt: now,
            updatedAt: now,
            connections: { create: connection },
          },
          select: { id: true },
        });
        return { state: 'created', userId: user.id };
      } catch (error) {
        if (isUniqueViolation(error, 'email')) return { state: 'email-taken' };
        if (isUniqueViolation(error, 'subject')) return { state: 'already-connected' };
        throw error;
      }
    },

    /** Changes a user's name. */
    async rename(userId: string, name: string, now: Date): Promise<void> {
      const data = { name, updatedAt: now };
      await db.user.update({ where: { id: userId }, data, select: { id: true } });
    },

    /**
     * Changes a user's e-mail to an address that they have verified. Returns the former address; `null`
     * if the new one is taken, or the user no longer exists.
     */
    async changeEmail(userId: string, email: string, now: Date): Promise<string | null> {
      const user = await db.user.findUnique({ where: { id: userId }, select: { email: true } });
      if (!user) return null;
      try {
        const { count } = await db.user.updateMany({
          where: { id: userId },
          data: { email, emailVerifiedAt: now, updatedAt: now },
        });
        return count > 0 ? user.email : null;
      } catch (error) {
        if (isUniqueViolation(error, 'email')) return null;
        throw error;
      }
    },
  };
}
