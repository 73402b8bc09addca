import { readFileSync } from 'node:fs';
import * as esbuild from 'esbuild';
import type { Bounds, Protocol } from './world.ts';

const PROTOCOL = new URL('../../../app/sessions/leases/protocol.ts', import.meta.url).pathname;

/** Changes to the text of protocol.ts. */
export interface Mutant {
  name: string;
  /** Each piece of text, and what stands there instead. */
  changes: Record<string, string>;
}

/**
 * The protocol with these changes.
 *
 * @throws when its text does not have each piece exactly once.
 */
export async function mutate({ name, changes }: Mutant): Promise<Protocol> {
  let text = readFileSync(PROTOCOL, 'utf8');
  for (const [from, to] of Object.entries(changes)) {
    if (text.split(from).length !== 2) throw new Error(`${name}: "${from}" is not there once`);
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
 * How it was before: the row of a silent node was deleted at once, and its late answer ended the round,
 * while the node went on under a lease that no later round could see.
 */
export const TAKES_LEASES_AWAY: Mutant = {
  name: 'a silent node loses its row at once, and its late answer ends the round',
  changes: {
    "if (round.phase === 'waiting') return this.#raise(id, round);": `
      if (round.phase === 'waiting') {
        round.phase = 'blocking';
        this.#commands.push({ do: 'give back', leaseIds: silentOf(round) });
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

/** Each with bounds in which its fault is found soon. */
export const MUTANTS: { mutant: Mutant; bounds: Bounds }[] = [
  { mutant: TAKES_LEASES_AWAY, bounds: { ...SMALL, sessions: 2 } },
  {
    mutant: {
      name: 'a round takes every node for one that has answered',
      changes: { '!answered.includes(leaseId': 'false && !answered.includes(leaseId' },
    },
    bounds: SMALL,
  },
  {
    mutant: {
      name: 'a node renews under a barrier that it has not heard of',
      changes: { '!link.heard.includes(barrier))': 'false && !link.heard.includes(barrier))' },
    },
    bounds: SMALL,
  },
  {
    mutant: {
      name: 'a node renews under a barrier without a new name',
      changes: {
        'if (barriers.length === 0) return':
          'if (barriers.every((barrier) => link.heard.includes(barrier))) return',
      },
    },
    bounds: { ...SMALL, sessions: 2, revokers: 1, idlers: 1 },
  },
  {
    mutant: {
      name: 'a lease counts from the reply, not from the look',
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
      name: 'a round ends though its barrier was lost',
      changes: { 'if (input.wasUp) return': 'if (input.wasUp || true) return' },
    },
    bounds: { ...SMALL, losses: 1 },
  },
  {
    mutant: {
      name: 'a node that was cut off keeps its memory',
      changes: {
        "if (link.since) this.#commands.push({ do: 'tell link', isUp: false });": '',
        "this.#commands.push({ do: 'tell link', isUp: true });": '',
      },
    },
    bounds: { ...SMALL, breaks: 1, opens: 1 },
  },
];
