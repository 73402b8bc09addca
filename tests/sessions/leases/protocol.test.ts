import { beforeEach, expect, test } from 'vitest';
import type { Command, Input } from '#app/sessions/leases/commands.ts';
import { timesOf } from '#app/sessions/leases/lease-time.ts';
import { LeaseProtocol } from '#app/sessions/leases/protocol.ts';

const LEASE_MS = 1000;
const at = (ms: number) => ({ monotonic: ms, wall: ms });

let node: LeaseProtocol;

beforeEach(() => {
  node = new LeaseProtocol('here', timesOf(LEASE_MS));
});

const apply = (ms: number, input: Input): Command[] => node.apply(input, at(ms));
const takeLease = (ms: number, barriers: string[] = []) => {
  apply(ms, { kind: 'link opened', link: 1 });
  return apply(ms, { kind: 'taken', link: 1, barriers });
};
const look = (ms: number, barriers: string[] = [], isThere = true) => {
  apply(ms, { kind: 'renewal due', link: 1 });
  return apply(ms, { kind: 'looked', link: 1, isThere, barriers });
};
const doings = (commands: Command[]) => commands.map((command) => command.do);
const LOSS = ['drop link', 'tell link', 'give back'];

test('memory may answer from when the lease is taken, reckoned from before it was asked for', () => {
  expect(node.isCurrent(at(0))).toBe(false);
  apply(0, { kind: 'link opened', link: 1 });
  expect(node.isCurrent(at(100))).toBe(false);
  expect(doings(apply(100, { kind: 'taken', link: 1, barriers: [] }))).toEqual(['tell link']);
  expect(node.isCurrent(at(949))).toBe(true);
  expect(node.isCurrent(at(950))).toBe(false);
});

test('a wall clock that is ahead of the monotonic one ends the lease', () => {
  takeLease(0);
  expect(node.isCurrent({ monotonic: 10, wall: 950 })).toBe(false);
});

test('a look that finds the lease renews it from before the look', () => {
  takeLease(0);
  apply(500, { kind: 'renewal due', link: 1 });
  apply(700, { kind: 'looked', link: 1, isThere: true, barriers: [] });
  expect(node.isCurrent(at(1449))).toBe(true);
  expect(node.isCurrent(at(1450))).toBe(false);
});

test('a look that does not find the lease ends the memory at once', () => {
  takeLease(0);
  expect(doings(look(500, [], false))).toEqual(LOSS);
  expect(node.isCurrent(at(500))).toBe(false);
});

test('a look whose answer comes after the lease ran out renews nothing, and ends the memory', () => {
  takeLease(0);
  apply(900, { kind: 'renewal due', link: 1 });
  expect(doings(apply(960, { kind: 'looked', link: 1, isThere: true, barriers: [] }))).toEqual(
    LOSS,
  );
});

test('a lease that ran out without an answer ends the memory at the next renewal', () => {
  takeLease(0);
  apply(500, { kind: 'renewal due', link: 1 });
  expect(apply(750, { kind: 'renewal due', link: 1 })).toEqual([]);
  expect(doings(apply(1000, { kind: 'renewal due', link: 1 }))).toEqual(LOSS);
});

test('a renewal that finds its lease gone ends the memory', () => {
  takeLease(0, ['r']);
  expect(look(500, ['r'])).toEqual([{ do: 'rename', link: 1, from: 'here 1', to: 'here 2' }]);
  expect(doings(apply(510, { kind: 'renamed', link: 1, isDone: false }))).toEqual(LOSS);
});

test('what an earlier link brings is ignored', () => {
  takeLease(0);
  apply(100, { kind: 'link lost', link: 1, why: 'it broke' });
  apply(200, { kind: 'link opened', link: 2 });
  expect(apply(210, { kind: 'taken', link: 1, barriers: [] })).toEqual([]);
  expect(apply(210, { kind: 'heard', link: 1, text: 'round r there' })).toEqual([]);
  expect(node.isCurrent(at(210))).toBe(false);
  apply(220, { kind: 'taken', link: 2, barriers: [] });
  expect(apply(230, { kind: 'link lost', link: 1, why: 'it broke' })).toEqual([]);
  expect(node.isCurrent(at(230))).toBe(true);
});

test('a barrier that the process of a node left behind is lifted after ten leases, and not sooner', () => {
  takeLease(0, ['left']);
  const renewUntil = (ms: number) => {
    const lifts: number[] = [];
    for (let now = 500; now <= ms; now += 500) {
      if (doings(look(now, ['left'])).includes('lift')) lifts.push(now);
      apply(now, { kind: 'renamed', link: 1, isDone: true });
    }
    return lifts;
  };
  expect(renewUntil(10_500)).toEqual([10_500]);
  expect(node.isCurrent(at(10_500))).toBe(true);
});

test('a database that loses one barrier after another fails the round', () => {
  const round = 'r';
  expect(doings(apply(0, { kind: 'settle', round }))).toEqual(['raise']);
  const outwait = () => {
    apply(0, { kind: 'raised', round, leaseIds: ['there 1'] });
    apply(1000, { kind: 'waited', round });
    return apply(1000, { kind: 'lifted', round, wasUp: false });
  };
  expect(doings(outwait())).toEqual(['raise']);
  expect(doings(outwait())).toEqual(['raise']);
  expect(outwait()).toEqual([{ do: 'finish', round, failure: 'the database loses barriers' }]);
});

test('a round whose statement fails is a round that failed', () => {
  apply(0, { kind: 'settle', round: 'r' });
  expect(apply(10, { kind: 'failed', round: 'r', why: 'down' })).toEqual([
    { do: 'finish', round: 'r', failure: 'down' },
  ]);
});

test('news of a user whose id has spaces arrives whole', () => {
  takeLease(0);
  const news = { kind: 'changed', id: null, userId: 'a user of ours' };
  expect(apply(1, { kind: 'heard', link: 1, text: 'changed * a user of ours' })).toEqual([
    { do: 'tell news', news },
  ]);
});

test('a node that has lost its link waits for no row of its own', () => {
  takeLease(0);
  apply(100, { kind: 'settle', round: 'r' });
  apply(110, { kind: 'asked', round: 'r', leaseIds: ['here 1'] });
  const lost = apply(120, { kind: 'link lost', link: 1, why: 'it broke' });
  expect(lost.at(-1)).toEqual({ do: 'finish', round: 'r', failure: null });
});
