import * as z from 'zod';
import type { Keyring } from '#app/config/keyring.server.ts';
import type { ReplayGuard } from '#app/database/replay-guard.server.ts';
import type { Users } from '#app/database/users.server.ts';
import type { SealedCookieFactory } from '#app/http/sealed-cookie.server.ts';
import { SECOND_MS } from '#app/sessions/time.ts';
import { proofSchema } from '#app/visit/proof.ts';
import type { Visit } from '#app/visit/visit.ts';

const MAX_AGE_SECONDS = 600;
/** The purpose of the seal; no cookie of ours opens as one, nor the other way round. */
const CARRIED = 'carried sign-in';

const pendingSchema = z.object({
  /** Used up when the sign-in finishes; the text of the cookie can be encoded in several ways. */
  id: z.string(),
  userId: z.string(),
  /** The factor that was proven. */
  proof: proofSchema,
  remember: z.boolean(),
  redirectTo: z.string(),
  /** When it was proven, in milliseconds since 1970. */
  provenAt: z.number(),
});

/** A user who has proven one factor and must prove another. There is no session yet. */
export type PendingSignIn = z.infer<typeof pendingSchema>;

interface PendingSignInsOptions {
  sealedCookie: SealedCookieFactory;
  keyring: Pick<Keyring, 'seal' | 'open'>;
  users: Pick<Users, 'findSecurity'>;
  replayGuard: Pick<ReplayGuard, 'claim'>;
}

export type PendingSignIns = ReturnType<typeof createPendingSignIns>;

/** Sign-ins that wait for their second factor: in a browser's cookie, or carried by a program. */
export function createPendingSignIns(options: PendingSignInsOptions) {
  const { sealedCookie, keyring, users, replayGuard } = options;
  const cookie = sealedCookie<PendingSignIn>({
    name: 'pending-sign-in',
    schema: pendingSchema,
    maxAgeSeconds: MAX_AGE_SECONDS,
  });

  const ifStillValid = async (pending: PendingSignIn): Promise<PendingSignIn | null> => {
    const user = await users.findSecurity(pending.userId);
    if (!user) return null;
    const changedAt = user.passwordChangedAt?.getTime() ?? 0;
    return changedAt > pending.provenAt ? null : pending;
  };

  return {
    /** Keeps a pending sign-in in this browser. Only the user whom it names can finish it. */
    write: (visit: Visit, pending: PendingSignIn) => cookie.write(visit, pending),

    remove: (visit: Visit) => cookie.remove(visit),

    /**
     * Returns this browser's pending sign-in; `null` if there is none, it is older than ten minutes, or
     * the account or its password has changed since the first factor was proven.
     */
    async find(visit: Visit): Promise<PendingSignIn | null> {
      const pending = cookie.read(visit);
      return pending && ifStillValid(pending);
    },

    /** Returns the text that a program carries to the second step. */
    seal: (pending: PendingSignIn): { carried: string; expiresAt: Date } => ({
      carried: keyring.seal(CARRIED, JSON.stringify(pending)),
      expiresAt: expiryOf(pending),
    }),

    /** Returns what a program carried; `null` as {@link find} does. */
    async unseal({ now }: Visit, carried: string): Promise<PendingSignIn | null> {
      const text = keyring.open(CARRIED, carried);
      const parsed = pendingSchema.safeParse(text === null ? null : JSON.parse(text));
      if (!parsed.success || now >= expiryOf(parsed.data)) return null;
      return ifStillValid(parsed.data);
    },

    /** True for the first caller that finishes this sign-in: it must not finish twice. */
    use: (pending: PendingSignIn): Promise<boolean> =>
      replayGuard.claim(`pending-sign-in ${pending.id}`, expiryOf(pending)),
  };
}

const expiryOf = ({ provenAt }: PendingSignIn) => new Date(provenAt + MAX_AGE_SECONDS * SECOND_MS);
