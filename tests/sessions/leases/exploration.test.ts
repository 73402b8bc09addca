import { expect, test } from 'vitest';
import { LeaseProtocol } from '#app/sessions/leases/protocol.ts';
import { explore } from './explore.ts';
import { mutate, MUTANTS, SMALL, WAITS_TOO_LONG } from './mutants.ts';
import type { Bounds } from './world.ts';

const NIGHTLY_TIMEOUT_MS = 3_600_000;

interface Space {
  what: string;
  bounds: Bounds;
  /** Only states that are reachable in so many steps. Default: all states. */
  maxDepth?: number;
}

const AT_EVERY_CHANGE: Space[] = [
  { what: 'two nodes and one session', bounds: SMALL },
  {
    what: 'two nodes and one session, with a prompt database',
    bounds: { ...SMALL, isPrompt: true, idlers: 1 },
  },
];

const EVERY_NIGHT: Space[] = [
  {
    what: 'two nodes, and two sessions that one of them revokes',
    bounds: { ...SMALL, sessions: 2, revokers: 1, idlers: 1 },
  },
  { what: 'three nodes and one session', bounds: { ...SMALL, nodes: 3, idlers: 1 } },
  {
    what: 'two nodes and one session, with a link that breaks',
    bounds: { ...SMALL, breaks: 1, opens: 1, reads: 1 },
  },
  {
    what: 'two nodes and one session, with barriers that are lost',
    bounds: { ...SMALL, losses: 1 },
  },
  {
    what: 'two nodes and one session, with barriers that count as abandoned and a link that breaks',
    bounds: { ...SMALL, isPatient: false, breaks: 1, opens: 1 },
  },
  {
    what: 'two nodes and one session, with a separate action for every step',
    bounds: { ...SMALL, isFine: true },
  },
  {
    what: 'two nodes and one session, with a prompt database and renewals by both',
    bounds: { ...SMALL, isPrompt: true },
  },
  {
    what: 'three nodes and two sessions, within ten steps',
    bounds: { ...SMALL, nodes: 3, sessions: 2 },
    maxDepth: 10,
  },
];

const spaces = process.env.LATCHKEY_NIGHTLY
  ? [...AT_EVERY_CHANGE, ...EVERY_NIGHT]
  : AT_EVERY_CHANGE;

test.each(spaces.map((space) => [space.what, space] as const))(
  'in every state of %s, no node answers from its cache with a session whose revoke has returned',
  (_what, { bounds, maxDepth }) => {
    const { fault, isComplete, states } = explore(bounds, LeaseProtocol, { maxDepth });
    expect(fault).toBeNull();
    expect(isComplete).toBe(maxDepth === undefined);
    expect(states).toBeGreaterThan(1000);
  },
  NIGHTLY_TIMEOUT_MS,
);

test.each(MUTANTS.map(({ mutant, bounds }) => [mutant.name, mutant, bounds] as const))(
  'the exploration finds the fault of a protocol in which %s',
  async (_name, mutant, bounds) => {
    const { fault } = explore(bounds, await mutate(mutant));
    expect(fault?.what).toMatch(/answers from its cache .* whose revoke has returned/);
  },
  NIGHTLY_TIMEOUT_MS,
);

test('the exploration finds a round that waits too long if the database is prompt', async () => {
  const { fault } = explore({ ...SMALL, isPrompt: true, idlers: 1 }, await mutate(WAITS_TOO_LONG));
  expect(fault?.what).toBe('the revoke of s0 takes too long');
});

test('the exploration finds the fault of deleting the leases of silent nodes in five steps', async () => {
  const { mutant, bounds } = MUTANTS[0]!;
  const { fault } = explore(bounds, await mutate(mutant));
  expect(fault).toEqual({
    what: 'n1 answers from its cache with s1, whose revoke has returned',
    trace: [
      'n0 revokes s0',
      'the database executes for n0: {"do":"ask","round":"r0"}, step 2',
      'n0 has waited for r0',
      'n0 revokes s1',
      'the database executes for n0: {"do":"ask","round":"r1"}, step 2',
    ],
  });
});
