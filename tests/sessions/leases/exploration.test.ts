import { describe, expect, test } from 'vitest';
import { LeaseProtocol } from '#app/sessions/leases/protocol.ts';
import { explore } from './explore.ts';
import { mutate, MUTANTS, SMALL } from './mutants.ts';
import type { Bounds } from './world.ts';

const NIGHT_MS = 3_600_000;

const AT_EVERY_CHANGE: [string, Bounds][] = [
  ['two nodes, one session', SMALL],
  ['two nodes, one session, and a database that is prompt', { ...SMALL, isPrompt: true }],
];

const EVERY_NIGHT: [string, Bounds][] = [
  ['two nodes, one session, and barriers that are lost', { ...SMALL, losses: 1 }],
  ['two nodes, one session, and a link that breaks', { ...SMALL, breaks: 1, opens: 1, reads: 1 }],
];

const withinBounds = process.env.LATCHKEY_NIGHTLY
  ? [...AT_EVERY_CHANGE, ...EVERY_NIGHT]
  : AT_EVERY_CHANGE;

test.each(withinBounds)(
  'in every state of %s, no node answers from memory with a session whose revoke has returned',
  (_what, bounds) => {
    const { fault, isComplete, states } = explore(bounds, LeaseProtocol);
    expect(fault).toBeNull();
    expect(isComplete).toBe(true);
    expect(states).toBeGreaterThan(1000);
  },
  NIGHT_MS,
);

describe('the exploration finds the fault of a protocol in which', () => {
  test.each(MUTANTS.map(({ mutant, bounds }) => [mutant.name, mutant, bounds] as const))(
    '%s',
    async (_name, mutant, bounds) => {
      const { fault } = explore(bounds, await mutate(mutant));
      expect(fault?.what).toMatch(/answers from memory .* whose revoke has returned/);
    },
  );
});

test('the fault of rows that were taken away is five steps long', async () => {
  const { mutant, bounds } = MUTANTS[0]!;
  const { fault } = explore(bounds, await mutate(mutant));
  expect(fault).toEqual({
    what: 'n1 answers from memory with s1, whose revoke has returned',
    trace: [
      'n0 revokes s0',
      'the database does for n0: {"do":"ask","round":"r0"}, step 2',
      'n0 has waited for r0',
      'n0 revokes s1',
      'the database does for n0: {"do":"ask","round":"r1"}, step 2',
    ],
  });
});
