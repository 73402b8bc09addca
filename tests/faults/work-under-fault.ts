import { expect } from 'vitest';
import type { Sessions } from '../../app/sessions/sessions.ts';
import { randomFrom, workThrough, type FaultyNode, type Seen, type Target } from './checker.ts';

const CLIENTS = 20;

export interface Work {
  /** A new session, past every node; null when that cannot be done just now. */
  signIn: () => Promise<Target | null>;
  /** Has clients work during a fault, and expects of everybody what has to be. */
  during: (fault: Parameters<typeof workThrough>[1]) => Promise<Seen>;
}

/**
 * @param what for the line that has the seed; `SEED` in the environment chooses one.
 * @param nodes called at each fault, as are `sessions`: both are there only once the tests have begun.
 */
export function createWork(
  what: string,
  {
    nodes,
    sessions,
    userId,
  }: { nodes: () => FaultyNode[]; sessions: () => Sessions; userId: string },
): Work {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  process.stdout.write(`faults on ${what}: SEED=${seed}\n`);
  const random = randomFrom(seed);
  const signIn = async () => {
    try {
      const { token, session } = await sessions().start({ userId }, new Date());
      return { id: session.id, token };
    } catch {
      return null;
    }
  };
  return {
    signIn,
    async during(fault) {
      const workload = { nodes: nodes(), signIn, clients: CLIENTS, random };
      const seen = await workThrough(workload, fault);
      const { asked, ended, unavailable } = seen;
      process.stdout.write(`  ${asked} asked, ${ended} ended, ${unavailable} unavailable\n`);
      for (const [index, node] of nodes().entries()) {
        const excuses = node.tellExcuses?.() ?? [];
        if (excuses.length > 0)
          process.stdout.write(`  node ${index + 1}: ${excuses.join(', ')}\n`);
      }
      expect(seen.letIn, `let in after their end (SEED=${seed})`).toEqual([]);
      expect(seen.signedOut, `signed out by an outage (SEED=${seed})`).toEqual([]);
      expect(seen.ended).toBeGreaterThan(0);
      return seen;
    },
  };
}

/** Processes, sockets and leases have clocks of their own, which nobody can move on. */
export const aWhile = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
