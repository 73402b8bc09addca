import * as z from 'zod';

/** How a person proved who they are; kept with the session that it began. */
export const proofSchema = z.object({
  by: z.enum(['password', 'passkey', 'provider', 'mailed-code']),
  /** The second factor besides; null: none was asked for, or the first was as good as two. */
  second: z.enum(['totp', 'recovery-code']).nullable(),
  /** Which provider, by the name that people know; null: none. */
  provider: z.string().max(80).nullable(),
});

export type Proof = z.infer<typeof proofSchema>;

/** What is kept with a session. */
export interface SessionMeta {
  /** Left out: it began elsewhere, in an application that shares the sessions. */
  proof?: Proof;
  /** What people call that application. Left out: this one. */
  application?: string;
}

export const passwordProof: Proof = { by: 'password', second: null, provider: null };

/** True when nothing more is to be asked: two factors, or a passkey that knew its owner. */
export function isFullProof({ by, second }: Proof): boolean {
  return by === 'passkey' || second !== null;
}

const firstTexts = {
  password: 'password',
  passkey: 'passkey',
  provider: 'provider',
  'mailed-code': 'code by mail',
} as const;
const secondTexts = { totp: 'code', 'recovery-code': 'recovery code' } as const;

/** "password and code", for the list of sessions: "Signed in 3 hours ago with …". */
export function proofText({ by, second, provider }: Proof): string {
  const first = by === 'provider' && provider ? provider : firstTexts[by];
  return second === null ? first : `${first} and ${secondTexts[second]}`;
}
