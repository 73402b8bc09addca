import type { Express, RequestHandler } from 'express';

/** Who is signed in; the same on every contender, so that every answer can be checked. */
export const PERSON = { id: 'person-1', email: 'ada@example.com' };

/** What a contender is given. */
export interface Surroundings {
  postgresUrl: string;
  redisUrl: string;
  /** An empty folder of its own. */
  folder: string;
}

/** One way to know who is signed in, put before `GET /me`. */
export interface Contender {
  /** Puts what it needs into the application; the last handler answers {@link PERSON}. */
  use(app: Express, answer: RequestHandler): void;
  /** What a signed-in client sends. Empty: nobody signs in here. */
  headers: Record<string, string>;
  /** A signed-in person's request is refused afterwards. null: this way knows no end before its time. */
  end: (() => Promise<void>) | null;
  /** Keeps a new session of somebody whose password was right; left out: there is nothing to keep. */
  keepNew?: () => Promise<void>;
  /** Signs in by a password, in a way of its own; left out: by bcrypt. */
  signIn?: () => Promise<void>;
}

export type OpenContender = (surroundings: Surroundings) => Promise<Contender>;

/** The value of one cookie; as little work as can be, the same for all who read their own. */
export function cookieOf(header: string | undefined, name: string): string | null {
  for (const part of (header ?? '').split('; ')) {
    if (part.startsWith(`${name}=`)) return part.slice(name.length + 1);
  }
  return null;
}
