import { beforeEach, expect, test } from 'vitest';
import type { Command, Input } from '#app/sessions/leases/commands.ts';
import { leaseTimesFor } from '#app/sessions/leases/lease-time.ts';
import { LeaseProtocol } from '#app/sessions/leases/protocol.ts';

const LEASE_MS = 1000;
const at = (ms: number) => ({ monotonic: ms, wall: ms });

let node: LeaseProtocol;

beforeEach(() => {
  node = new LeaseProtocol('here', leaseTimesFor(LEASE_MS));
});

const apply = (ms: number, input: Input): Command[] => node.apply(input, at(ms));
const takeLease = (ms: number, barriers: string[] = []) => {
  apply(ms, { kind: 'link opened', link: 1 });
  return apply(ms, { kind: 'taken', link: 1, barriers });
};
const check = (ms: number, barriers: string[] = [], isThere = true) => {
  apply(ms, { kind: 'renewal due', link: 1 });
  return apply(ms, { kind: 'checked', link: 1, isThere, barriers });
};
const kindsOf = (commands: Command[]) => commands.map((command) => command.do);
const LOSS = ['drop link', 'report link', 'release'];

test('the cache may answer once the lease is taken, for a lease time that counts from the request', () => {
  expect(node.isCurrent(at(0))).toBe(false);
  apply(0, { kind: 'link opened', link: 1 });
  expect(node.isCurrent(at(100))).toBe(false);
  expect(kindsOf(apply(100, { kind: 'taken', link: 1, barriers: [] }))).toEqual(['report link']);
  expect(node.isCurrent(at(949))).toBe(true);
  expect(node.isCurrent(at(950))).toBe(false);
});

test('a lease ends by the wall clock if that is ahead of the monotonic clock', () => {
  takeLease(0);
  expect(node.isCurrent({ monotonic: 10, wall: 950 })).toBe(false);
});

test('a check that finds the lease renews it from the time of the check', () => {
  takeLease(0);
  apply(500, { kind: 'renewal due', link: 1 });
  apply(700, { kind: 'checked', link: 1, isThere: true, barriers: [] });
  expect(node.isCurrent(at(1449))).toBe(true);
  expect(node.isCurrent(at(1450))).toBe(false);
});

test('a check that does not find the lease clears the cache at once', () => {
  takeLease(0);
  expect(kindsOf(check(500, [], false))).toEqual(LOSS);
  expect(node.isCurrent(at(500))).toBe(false);
});

test('a check whose answer comes after the lease expired clears the cache and renews nothing', () => {
  takeLease(0);
  apply(900, { kind: 'renewal due', link: 1 });
  expect(kindsOf(apply(960, { kind: 'checked', link: 1, isThere: true, barriers: [] }))).toEqual(
    LOSS,
  );
});

test('a lease that expired without an answer clears the cache at the next renewal', () => {
  takeLease(0);
  apply(500, { kind: 'renewal due', link: 1 });
  expect(apply(750, { kind: 'renewal due', link: 1 })).toEqual([]);
  expect(kindsOf(apply(1000, { kind: 'renewal due', link: 1 }))).toEqual(LOSS);
});

test('a rename that does not find the lease clears the cache', () => {
  takeLease(0, ['r']);
  expect(check(500, ['r'])).toEqual([{ do: 'rename', link: 1, from: 'here 1', to: 'here 2' }]);
  expect(kindsOf(apply(510, { kind: 'renamed', link: 1, isDone: false }))).toEqual(LOSS);
});

test('a node ignores the inputs of an earlier link', () => {
  takeLease(0);
  apply(100, { kind: 'link lost', link: 1, why: 'it broke' });
  apply(200, { kind: 'link opened', link: 2 });
  expect(apply(210, { kind: 'taken', link: 1, barriers: [] })).toEqual([]);
  expect(apply(210, { kind: 'received', link: 1, text: 'round r there' })).toEqual([]);
  expect(node.isCurrent(at(210))).toBe(false);
  apply(220, { kind: 'taken', link: 2, barriers: [] });
  expect(apply(230, { kind: 'link lost', link: 1, why: 'it broke' })).toEqual([]);
  expect(node.isCurrent(at(230))).toBe(true);
});

test('a node lifts an abandoned barrier after the time of ten leases, not sooner', () => {
  takeLease(0, ['left']);
  const renewUntil = (ms: number) => {
    const lifts: number[] = [];
    for (let now = 500; now <= ms; now += 500) {
      if (kindsOf(check(now, ['left'])).includes('lift')) lifts.push(now);
      apply(now, { kind: 'renamed', link: 1, isDone: true });
    }
    return lifts;
  };
  expect(renewUntil(10_500)).toEqual([10_500]);
  expect(node.isCurrent(at(10_500))).toBe(true);
});

test('a round fails if the database loses three barriers in a row', () => {
  const round = 'r';
  expect(kindsOf(apply(0, { kind: 'settle', round }))).toEqual(['raise']);
  const waitForLease = () => {
    apply(0, { kind: 'raised', round, leaseIds: ['there 1'] });
    apply(1000, { kind: 'waited', round });
    return apply(1000, { kind: 'lifted', round, wasUp: false });
  };
  expect(kindsOf(waitForLease())).toEqual(['raise']);
  expect(kindsOf(waitForLease())).toEqual(['raise']);
  expect(waitForLease()).toEqual([{ do: 'finish', round, failure: 'the database loses barriers' }]);
});

test('a round fails if one of its statements fails', () => {
  apply(0, { kind: 'settle', round: 'r' });
  expect(apply(10, { kind: 'failed', round: 'r', why: 'down' })).toEqual([
    { do: 'finish', round: 'r', failure: 'down' },
  ]);
});

test('an event keeps the spaces in the id of its user', () => {
  takeLease(0);
  const event = { kind: 'changed', id: null, userId: 'a user of ours' };
  expect(apply(1, { kind: 'received', link: 1, text: 'changed * a user of ours' })).toEqual([
    { do: 'deliver event', event },
  ]);
});

test('a node that loses its link does not wait for its own lease', () => {
  takeLease(0);
  apply(100, { kind: 'settle', round: 'r' });
  apply(110, { kind: 'asked', round: 'r', leaseIds: ['here 1'] });
  const lost = apply(120, { kind: 'link lost', link: 1, why: 'it broke' });
  expect(lost.at(-1)).toEqual({ do: 'finish', round: 'r', failure: null });
});
