import { expect } from 'vitest';
import type { Sessions } from '../../app/sessions/sessions.ts';
import {
  randomFrom,
  runWorkload,
  type FaultyNode,
  type Target,
  type WorkloadResult,
} from './checker.ts';

const CLIENTS = 20;

export interface FaultWorkload {
  /** Starts a session in the store, without a node; null if that fails because of the fault. */
  signIn: () => Promise<Target | null>;
  /** Runs clients during a fault, and expects that no node accepts or refuses a session wrongly. */
  during: (fault: Parameters<typeof runWorkload>[1]) => Promise<WorkloadResult>;
}

/**
 * Returns the workload of a test file, and prints its random seed. The environment variable `SEED` sets it.
 *
 * @param what printed with the seed.
 * @param nodes called for each fault, as is `sessions`, because both exist only after `beforeAll`.
 */
export function createWork(
  what: string,
  {
    nodes,
    sessions,
    userId,
  }: { nodes: () => FaultyNode[]; sessions: () => Sessions; userId: string },
): FaultWorkload {
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
      const result = await runWorkload(workload, fault);
      const { checked, revoked, unavailable } = result;
      process.stdout.write(
        `  ${checked} checked, ${revoked} revoked, ${unavailable} unavailable\n`,
      );
      for (const [index, node] of nodes().entries()) {
        const failures = node.takeFailures?.() ?? [];
        if (failures.length > 0)
          process.stdout.write(`  node ${index + 1}: ${failures.join(', ')}\n`);
      }
      expect(result.acceptedAfterRevoke, `accepted after revocation (SEED=${seed})`).toEqual([]);
      expect(result.wronglySignedOut, `signed out by an outage (SEED=${seed})`).toEqual([]);
      expect(result.revoked).toBeGreaterThan(0);
      return result;
    },
  };
}

/** Waits in real time, because a test clock cannot move the clocks of processes, sockets and leases. */
export const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
