import type { Express, RequestHandler } from 'express';

/** The signed-in user, the same for every contender, so that every response can be checked. */
export const USER = { id: 'user-1', email: 'ada@example.com' };

/** The servers and the folder that a contender may use. */
export interface Environment {
  postgresUrl: string;
  redisUrl: string;
  /** An empty folder for this contender only. */
  folder: string;
}

/** An implementation of sessions for the route `GET /me`. */
export interface Contender {
  /** Adds the route and its middleware to the application. `answer` responds with {@link USER}. */
  use(app: Express, answer: RequestHandler): void;
  /** The headers of a signed-in client; empty if there are no sessions. */
  headers: Record<string, string>;
  /** Revokes the session: requests with it are refused from then on. null if that is not possible. */
  revoke: (() => Promise<void>) | null;
  /** Stores a new session after a correct password; left out by contenders that store no sessions. */
  saveNewSession?: () => Promise<void>;
  /** Signs in with a password in the contender's own way; by default with bcrypt. */
  signIn?: () => Promise<void>;
}

export type OpenContender = (environment: Environment) => Promise<Contender>;

/** Returns the value of a cookie. Minimal, and the same for all contenders that read their own cookie. */
export function cookieOf(header: string | undefined, name: string): string | null {
  for (const part of (header ?? '').split('; ')) {
    if (part.startsWith(`${name}=`)) return part.slice(name.length + 1);
  }
  return null;
}
