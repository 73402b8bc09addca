import { readFileSync } from 'node:fs';
import * as esbuild from 'esbuild';
import type { Bounds, Protocol } from './world.ts';

const PROTOCOL = new URL('../../../app/sessions/leases/protocol.ts', import.meta.url).pathname;

/** A faulty variant of the protocol, as changes to the text of protocol.ts. */
export interface Mutant {
  name: string;
  /** Replacements by the text that they replace. */
  changes: Record<string, string>;
}

/**
 * Returns the protocol with these changes.
 *
 * @throws if protocol.ts does not contain each text exactly once.
 */
export async function mutate({ name, changes }: Mutant): Promise<Protocol> {
  let text = readFileSync(PROTOCOL, 'utf8');
  for (const [from, to] of Object.entries(changes)) {
    if (text.split(from).length !== 2)
      throw new Error(`${name}: "${from}" must occur exactly once`);
    text = text.replace(from, () => to);
  }
  const { outputFiles } = await esbuild.build({
    stdin: {
      contents: text,
      resolveDir: new URL('.', `file://${PROTOCOL}`).pathname,
      loader: 'ts',
    },
    bundle: true,
    write: false,
    format: 'esm',
    logLevel: 'silent',
    target: 'node20',
  });
  const code = Buffer.from(outputFiles[0]!.contents).toString('base64');
  const built = (await import(/* @vite-ignore */ `data:text/javascript;base64,${code}`)) as {
    LeaseProtocol: Protocol;
  };
  return built.LeaseProtocol;
}

/**
 * An earlier version: a round deleted the row of a silent node at once and ended with its late answer,
 * while the node kept using a lease that no later round could see.
 */
export const TAKES_LEASES_AWAY: Mutant = {
  name: 'a silent node loses its row at once, and its late answer ends the round',
  changes: {
    "if (round.phase === 'waiting') return this.#raise(id, round);": `
      if (round.phase === 'waiting') {
        round.phase = 'blocking';
        this.#commands.push({ do: 'release', leaseIds: silentLeaseIds(round) });
        this.#commands.push({ do: 'wait', round: id, ms: this.#times.leaseMs });
        return;
      }
      if (round.phase === 'blocking') return this.#finish(id);`,
  },
};

export const WAITS_TOO_LONG: Mutant = {
  name: 'a round waits for the time of two leases',
  changes: { 'ms: this.#times.leaseMs': 'ms: 2 * this.#times.leaseMs' },
};

export const SMALL: Bounds = {
  nodes: 2,
  sessions: 1,
  breaks: 0,
  opens: 0,
  losses: 0,
  reads: 0,
  isPatient: true,
};

/** Each mutant with bounds in which its fault is found quickly. */
export const MUTANTS: { mutant: Mutant; bounds: Bounds }[] = [
  { mutant: TAKES_LEASES_AWAY, bounds: { ...SMALL, sessions: 2 } },
  {
    mutant: {
      name: 'a round counts every node as one that has answered',
      changes: { '!answered.includes(leaseId': 'false && !answered.includes(leaseId' },
    },
    bounds: SMALL,
  },
  {
    mutant: {
      name: 'a node renews under a barrier whose message it has not received',
      changes: {
        '!link.knownBarriers.includes(barrier))': 'false && !link.knownBarriers.includes(barrier))',
      },
    },
    bounds: SMALL,
  },
  {
    mutant: {
      name: 'a node renews under a barrier without renaming its lease',
      changes: {
        'if (barriers.length === 0) return':
          'if (barriers.every((barrier) => link.knownBarriers.includes(barrier))) return',
      },
    },
    bounds: { ...SMALL, sessions: 2, revokers: 1, idlers: 1 },
  },
  {
    mutant: {
      name: 'a lease counts from the reply, not from the check',
      changes: { 'link.since = since;': 'link.since = { monotonic: 0, wall: 0 };' },
    },
    bounds: { ...SMALL, lease: 3 },
  },
  {
    mutant: {
      name: 'a round does not wait for the time of a lease',
      changes: { 'ms: this.#times.leaseMs': 'ms: 0' },
    },
    bounds: SMALL,
  },
  {
    mutant: {
      name: 'a round ends although its barrier was lost',
      changes: { 'if (input.wasUp) return': 'if (input.wasUp || true) return' },
    },
    bounds: { ...SMALL, losses: 1 },
  },
  {
    mutant: {
      name: 'a node keeps its cache after it lost its link',
      changes: {
        "if (link.since) this.#commands.push({ do: 'report link', isUp: false });": '',
        "this.#commands.push({ do: 'report link', isUp: true });": '',
      },
    },
    bounds: { ...SMALL, breaks: 1, opens: 1 },
  },
];
