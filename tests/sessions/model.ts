import fc from 'fast-check';
import { expect } from 'vitest';
import {
  DAY_MS,
  endingOf,
  HOUR_MS,
  MINUTE_MS,
  SECOND_MS,
  timeoutsFrom,
  type SessionEnd,
  type Session,
} from '../../app/sessions/session.ts';
import { StoreUnavailableError, type SessionStore } from '../../app/sessions/session-store.ts';
import { Sessions, type ResumedSession, type StartedSession } from '../../app/sessions/sessions.ts';
import type { OpenStore } from './open-store.ts';
import { holding } from './store-contract.ts';

/** What a store supports. The sequences omit the rest, or the checks expect less. */
export interface Abilities {
  /** Ended sessions leave tombstones, and a renewal keeps the session's id. */
  tombstones: boolean;
  /** Sessions can be found by user: lists, "sign out everywhere else", the cap, erasure, prune. */
  byUser: boolean;
  /** Deleting a user deletes the rows of its sessions. */
  foreignKey: boolean;
}

const USERS = ['user-1', 'user-2'];
const RETENTION_MS = DAY_MS;
const timeouts = timeoutsFrom({
  idleMs: 30 * MINUTE_MS,
  lifetimeMs: HOUR_MS,
  rememberedIdleMs: DAY_MS,
  rememberedLifetimeMs: 1.5 * DAY_MS,
  touchIntervalMs: MINUTE_MS,
});

/** An action of a client. `session` and `token` are indexes modulo the number of existing ones. */
type Action =
  | { kind: 'start'; user: number; remember: boolean; replaces: number | null }
  | { kind: 'use' | 'lateUse' | 'peek' | 'renew'; session: number; token: number }
  | { kind: 'revoke'; session: number; asOther: boolean }
  | { kind: 'revokeOthers'; user: number; except: number | null }
  | { kind: 'erase'; user: number; byForeignKey: boolean }
  | { kind: 'prune' };

/** A random sequence, and the cap on sessions per user. */
interface Play {
  cap: number;
  sequence: Step[];
}

/** Time passes, then several clients act concurrently. */
interface Step {
  passMs: number;
  actions: Action[];
  /** The store fails in this step. */
  isDown: boolean;
  /** Seed for interleaving the store calls of the actions. */
  jitter: number;
}

function sequencesFor(abilities: Abilities): fc.Arbitrary<Play> {
  const any = fc.nat(1000);
  const user = fc.nat(USERS.length - 1);
  const token = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(3));
  const actions: fc.WeightedArbitrary<Action>[] = [
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('start' as const),
        user,
        remember: fc.boolean(),
        replaces: fc.option(any, { freq: 3, nil: null }),
      }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constantFrom(...(['use', 'use', 'lateUse', 'renew', 'peek'] as const)),
        session: any,
        token,
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('revoke' as const),
        session: any,
        asOther: fc.boolean(),
      }),
    },
  ];
  if (abilities.byUser) {
    actions.push(
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant('revokeOthers' as const),
          user,
          except: fc.option(any, { freq: 3, nil: null }),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('erase' as const),
          user,
          byForeignKey: fc.boolean(),
        }),
      },
      { weight: 2, arbitrary: fc.constant({ kind: 'prune' as const }) },
    );
  }
  const passMs = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(0, 1, SECOND_MS, MINUTE_MS - 1, MINUTE_MS) },
    { weight: 3, arbitrary: fc.constantFrom(20 * MINUTE_MS, 30 * MINUTE_MS - 1, 30 * MINUTE_MS) },
    { weight: 2, arbitrary: fc.constantFrom(HOUR_MS, 18 * HOUR_MS, 23 * HOUR_MS, DAY_MS + 1) },
    { weight: 1, arbitrary: fc.constantFrom(-1, -SECOND_MS, -10 * MINUTE_MS, -5 * HOUR_MS) },
  );
  const step = fc.record({
    passMs,
    actions: fc.array(fc.oneof(...actions), { minLength: 1, maxLength: 4 }),
    isDown: fc.integer({ min: 0, max: 19 }).map((die) => die === 0),
    jitter: fc.integer(),
  });
  return fc.record({
    cap: fc.constantFrom(3, 2, 1),
    sequence: fc.array(step, { minLength: 1, maxLength: 16, size: 'max' }),
  });
}

/** The expected state of one session. */
interface Expected {
  id: string;
  userId: string;
  remember: boolean;
  createdAt: Date;
  lastSeenAt: Date;
  /** Every token it ever had. Only the last one is valid. */
  tokens: string[];
  /** It was ended, but not by expiry. */
  isEnded: boolean;
  /** Its row was erased. */
  isErased: boolean;
  /** The ending and the session as first seen. They never change. */
  ending: SessionEnd | null;
  tombstone: Session | null;
}

/** Runs random sequences against a store, and compares each step with a model. */
export async function checkAgainstModel(
  open: OpenStore,
  elsewhere: OpenStore,
  abilities: Abilities,
  { runs, seed }: { runs: number; seed: number },
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(sequencesFor(abilities), (each) =>
      runSequence(each, open, elsewhere, abilities),
    ),
    { numRuns: runs, seed, endOnFailure: false },
  );
}

async function runSequence(
  { cap, sequence }: Play,
  open: OpenStore,
  elsewhere: OpenStore,
  abilities: Abilities,
): Promise<void> {
  await open.clear();
  for (const user of USERS) await open.addUser(user);
  const conditions = { isDown: false, random: randomFrom(0) };
  const options = { timeouts, maxPerUser: cap, retentionMs: RETENTION_MS };
  const nodes = [open, elsewhere].map(
    ({ store }) =>
      new Sessions({ ...options, store: withConditions(store as SessionStore, conditions) }),
  );
  const quiet = new Sessions({ ...options, store: elsewhere.store });
  const expected: Expected[] = [];
  const late: LateUse[] = [];
  let now = new Date('2026-03-08T07:30:00.123Z');

  for (const step of sequence) {
    now = new Date(now.getTime() + step.passMs);
    conditions.isDown = step.isDown;
    conditions.random = randomFrom(step.jitter);
    const scene = { expected, now, cap, open, abilities };
    const lateBefore = late.splice(0);
    const facts = await takeStep(step, { ...scene, nodes, late });
    conditions.isDown = false;
    await checkStep(facts, { ...scene, quiet });
    if (lateBefore.length > 0) {
      await releaseLateUses(lateBefore);
      await checkStep(noFacts(), { ...scene, quiet });
    }
  }
}

/** What the results of a step prove, and what they leave open. */
interface Facts {
  /** Sessions that an action of this step ends. They must have ended, whatever ran first. */
  mustBeEnded: Set<Expected>;
  /** Sessions that may have ended, by the cap or by a concurrent action. */
  mayBeEnded: Set<Expected>;
  mustBeErased: Set<Expected>;
  /** Sessions that started while their user was erased. */
  mayBeErased: Set<Expected>;
  /** Rows that ended before this time were pruned; null without a prune. */
  prunedBefore: Date | null;
  startsOf: Map<string, number>;
  /** A sign-in that was the only action of the step, and the user's live sessions before it. */
  onlyStart: { userId: string; liveBefore: Expected[] } | null;
  /** Users whose sessions were ended in this step, so that fewer than the cap may be live. */
  usersEnded: Set<string>;
}

function noFacts(): Facts {
  return {
    mustBeEnded: new Set(),
    mayBeEnded: new Set(),
    mustBeErased: new Set(),
    mayBeErased: new Set(),
    prunedBefore: null,
    startsOf: new Map(),
    onlyStart: null,
    usersEnded: new Set(),
  };
}

/** A request that reads its session in one step and writes activity after the next step. */
interface LateUse {
  session: Expected;
  id: string;
  at: Date;
  release: () => void;
  resuming: Promise<ResumedSession>;
}

/** Releases the writes of late requests, whose sessions may have changed since. */
async function releaseLateUses(late: LateUse[]): Promise<void> {
  for (const { session, id, at, release, resuming } of late) {
    release();
    await resuming;
    const isApplied = !session.isEnded && session.id === id;
    if (isApplied && session.lastSeenAt < at && at < expectedExpiry(session))
      session.lastSeenAt = at;
  }
}

interface Scene {
  expected: Expected[];
  now: Date;
  cap: number;
  open: OpenStore;
  abilities: Abilities;
}

async function takeStep(
  step: Step,
  scene: Scene & { nodes: Sessions[]; late: LateUse[] },
): Promise<Facts> {
  const { nodes, expected, late, now, cap, open, abilities } = scene;
  // The actions of a step refer to sessions that existed before it.
  const before = [...expected];
  const wasLive = new Map(before.map((each) => [each, isExpectedLive(each, now)]));
  const pick = (index: number) => before[index % Math.max(1, before.length)];
  const facts = noFacts();
  const used: { session: Expected; token: string; resumed: ResumedSession }[] = [];
  const renewals: { session: Expected; token: string; renewed: StartedSession | null }[] = [];
  const endingActions: (() => void)[] = [];
  const erasing = new Set(
    step.actions.flatMap((action) => (action.kind === 'erase' ? USERS[action.user]! : [])),
  );

  const perform = async (action: Action, index: number): Promise<void> => {
    const sessions = nodes[index % nodes.length]!;
    switch (action.kind) {
      case 'start': {
        const userId = USERS[action.user]!;
        const replaced = action.replaces === null ? undefined : pick(action.replaces);
        const previous = replaced && {
          ...(await peekRecord(open, replaced.id)),
        };
        const replaces =
          previous && 'id' in previous ? (previous as StartedSession['session']) : null;
        let started: StartedSession;
        try {
          started = await sessions.start({ userId, remember: action.remember, replaces }, now);
        } catch (error) {
          // The row of its user was deleted in this step.
          if (!step.isDown && abilities.foreignKey && erasing.has(userId)) {
            if (replaced) facts.mayBeEnded.add(replaced);
            return;
          }
          throw error;
        }
        const { token, session } = started;
        const newOne: Expected = {
          id: session.id,
          userId,
          remember: action.remember,
          createdAt: now,
          lastSeenAt: now,
          tokens: [token],
          isEnded: false,
          isErased: false,
          ending: null,
          tombstone: null,
        };
        expected.push(newOne);
        if (step.actions.length === 1 && !replaced) {
          const liveBefore = before.filter(
            (each) => each.userId === userId && wasLive.get(each) === true,
          );
          facts.onlyStart = { userId, liveBefore };
        }
        facts.startsOf.set(userId, (facts.startsOf.get(userId) ?? 0) + 1);
        // A concurrent action that ends sessions of this user may have ended it.
        facts.mayBeEnded.add(newOne);
        if (erasing.has(userId)) facts.mayBeErased.add(newOne);
        if (replaced && replaces && !replaces.revokedAt) {
          facts.usersEnded.add(replaced.userId);
          if (abilities.tombstones) facts.mustBeEnded.add(replaced);
          else facts.mayBeEnded.add(replaced);
        }
        return;
      }
      case 'lateUse': {
        const session = pick(action.session);
        const token = session?.tokens.at(-1 - (action.token % session.tokens.length));
        if (!session || !token || step.isDown) return;
        const { id } = session;
        const delayed = holding(open.store as SessionStore, 'updateSessionExpiry');
        const sessionsWithDelay = new Sessions({ timeouts, maxPerUser: cap, store: delayed.store });
        const resuming = sessionsWithDelay.resume(token, now);
        const isHeld = await Promise.race([
          delayed.arrived.then(() => true),
          resuming.then(() => false),
        ]);
        if (isHeld) late.push({ session, id, at: now, release: delayed.release, resuming });
        return;
      }
      case 'use':
      case 'peek':
      case 'renew': {
        const session = pick(action.session);
        const token = session && session.tokens.at(-1 - (action.token % session.tokens.length));
        if (!session || !token) return;
        if (action.kind === 'renew') {
          renewals.push({ session, token, renewed: await sessions.renew(token, now) });
        } else {
          const countsAsActivity = action.kind === 'use';
          const resumed = await sessions.resume(token, now, { countsAsActivity });
          if (countsAsActivity) used.push({ session, token, resumed });
          // I1 and I2, as seen by the client: a session that had ended is still ended.
          if (!wasLive.get(session)) expect(resumed.state).not.toBe('live');
        }
        return;
      }
      case 'revoke': {
        const session = pick(action.session);
        if (!session) return;
        const userId = action.asOther ? USERS.find((id) => id !== session.userId) : session.userId;
        const { id } = session;
        const revoked = await sessions.revoke(id, { reason: 'signed-out', userId }, now);
        if (action.asOther) {
          expect(revoked).toBe(false);
          return;
        }
        facts.usersEnded.add(session.userId);
        if (revoked) expect(wasLive.get(session)).toBe(true);
        endingActions.push(() => {
          // Without tombstones, a renewal gives the session another id, which was not revoked.
          const moved = session.id !== id && !revoked;
          if (moved) facts.mayBeEnded.add(session);
          else facts.mustBeEnded.add(session);
        });
        return;
      }
      case 'revokeOthers': {
        const userId = USERS[action.user]!;
        const except = action.except === null ? null : pick(action.except);
        const exceptId = except?.userId === userId ? except.id : null;
        const reason = 'signed-out-elsewhere';
        const ended = await sessions.revokeOthers(userId, exceptId, { reason }, now);
        facts.usersEnded.add(userId);
        for (const session of before.filter((each) => each.userId === userId)) {
          if (session.id !== exceptId && !(except === session)) facts.mustBeEnded.add(session);
          // A concurrent renewal may have changed the id of the excepted session, so either result is right.
          else if (except === session && !abilities.tombstones) facts.mayBeEnded.add(session);
          else expect(ended).not.toContain(session.id);
        }
        return;
      }
      case 'erase': {
        const userId = USERS[action.user]!;
        if (action.byForeignKey && abilities.foreignKey && !step.isDown) {
          await open.removeUser(userId).catch(() => undefined);
        } else {
          await sessions.erase(userId, now);
        }
        facts.usersEnded.add(userId);
        for (const session of before.filter((each) => each.userId === userId)) {
          facts.mustBeEnded.add(session);
          facts.mustBeErased.add(session);
        }
        return;
      }
      case 'prune': {
        await sessions.prune(now);
        facts.prunedBefore = new Date(now.getTime() - RETENTION_MS);
        return;
      }
    }
  };

  const outcomes = await Promise.allSettled(step.actions.map(perform));
  const failures = outcomes.flatMap((each): unknown[] =>
    each.status === 'rejected' ? [each.reason] : [],
  );
  if (step.isDown) {
    // I4: an outage is an error, and never a result about a session.
    for (const failure of failures) expect(failure).toBeInstanceOf(StoreUnavailableError);
    expect([used, renewals, expected.length]).toEqual([[], [], before.length]);
  } else {
    for (const failure of failures) throw failure as Error;
  }

  for (const session of before) {
    const ofSession = renewals.filter((each) => each.session === session);
    const successful = ofSession.filter(({ renewed }) => renewed);
    const current = session.tokens.at(-1)!;
    // A token can be renewed only once, and only the current one.
    expect(successful.length).toBeLessThanOrEqual(1);
    for (const { token } of successful) expect(token).toBe(current);
    if (successful.length > 0) expect(wasLive.get(session)).toBe(true);
    const isUsed = used.some(
      ({ session: usedSession, token, resumed }) =>
        usedSession === session && token === current && resumed.state === 'live',
    );
    const isDue = now.getTime() - session.lastSeenAt.getTime() >= timeouts.touchIntervalMs;
    if ((isUsed && isDue) || (successful.length > 0 && now > session.lastSeenAt))
      session.lastSeenAt = now;
    for (const { renewed } of successful) {
      session.tokens.push(renewed!.token);
      session.id = renewed!.session.id;
    }
    const wasTried = ofSession.some(({ token }) => token === current);
    if (wasTried && successful.length === 0 && wasLive.get(session)) facts.mayBeEnded.add(session);
  }
  for (const recordEnding of endingActions) recordEnding();
  for (const userId of facts.startsOf.keys()) {
    if (!abilities.byUser) continue;
    for (const session of before) if (session.userId === userId) facts.mayBeEnded.add(session);
  }
  if (abilities.foreignKey) {
    for (const userId of erasing) await open.addUser(userId).catch(() => undefined);
  }
  return facts;
}

async function checkStep(facts: Facts, scene: Scene & { quiet: Sessions }): Promise<void> {
  const { quiet, expected, now, cap, open, abilities } = scene;
  const peek = (token: string) => quiet.resume(token, now, { countsAsActivity: false });

  await Promise.all(
    expected.map(async (session) => {
      const current = session.tokens.at(-1)!;
      const old = session.tokens.slice(0, -1);
      // I1: a token is unknown after a renewal.
      for (const token of old) expect(await peek(token)).toEqual({ state: 'unknown' });

      const wasEnded = session.isEnded;
      const resumed = await peek(current);
      if (facts.mustBeEnded.has(session)) session.isEnded = true;
      // I1, I2: an ended session stays ended.
      if (session.isEnded) expect(resumed.state).not.toBe('live');
      const isGone = resumed.state === 'unknown' && facts.mayBeErased.has(session);
      if (facts.mustBeErased.has(session) || isGone) session.isErased = true;
      if (session.isErased) expect(resumed).toEqual({ state: 'unknown' });

      const endsAt = expectedExpiry(session);
      if (now >= endsAt) {
        expect(resumed.state).not.toBe('live');
      } else if (!session.isEnded && !facts.mayBeEnded.has(session)) {
        // No session ends without a reason.
        expect(resumed.state).toBe('live');
      }
      if (!session.isEnded && facts.mayBeEnded.has(session)) {
        const isRevoked = resumed.state === 'ended' && resumed.session.revokedAt !== null;
        session.isEnded = isRevoked || resumed.state === 'unknown';
      }
      if (resumed.state === 'live') {
        // I3: activity extends a session exactly as the rules say, and never past its lifetime.
        expect(resumed.session.expiresAt).toEqual(endsAt);
        const lifetimeMs = session.remember ? timeouts.rememberedLifetimeMs : timeouts.lifetimeMs;
        const endMs = session.createdAt.getTime() + lifetimeMs;
        expect(resumed.session.expiresAt.getTime()).toBeLessThanOrEqual(endMs);
        expect(resumed.session.createdAt).toEqual(session.createdAt);
        expect(resumed.session.userId).toBe(session.userId);
      }
      if (resumed.state === 'ended' && session.isEnded) {
        // A tombstone never changes.
        if (wasEnded && session.tombstone) expect(resumed.session).toEqual(session.tombstone);
        session.ending = resumed.ending;
        session.tombstone = resumed.session;
        expect(endingOf(resumed.session, now, timeouts)).toEqual(resumed.ending);
      }
      if (!abilities.tombstones || session.isErased) return;
      const endedAt = session.ending?.at ?? (now >= endsAt ? endsAt : null);
      if (facts.prunedBefore && endedAt && endedAt < facts.prunedBefore) {
        // A pruned row is gone for good. A row that was written concurrently may wait for the next prune.
        if (facts.usersEnded.size === 0) expect(resumed.state).toBe('unknown');
        if (resumed.state === 'unknown') session.isEnded = session.isErased = true;
      } else if (endedAt && resumed.state === 'unknown') {
        // The row was deleted too early.
        expect.fail(`pruned within its retention: ${JSON.stringify(session)}`);
      }
    }),
  );

  if (abilities.byUser) {
    for (const userId of USERS) {
      const live = expected.filter(
        (session) => session.userId === userId && isExpectedLive(session, now),
      );
      const { live: listed } = await quiet.list(userId, now, { limit: 50 });
      expect(listed.map(({ id }) => id).sort()).toEqual(live.map(({ id }) => id).sort());
      const starts = facts.startsOf.get(userId) ?? 0;
      if (starts > 0) {
        // The cap leaves exactly as many sessions as it allows.
        expect(live.length).toBeLessThanOrEqual(cap);
        if (!facts.usersEnded.has(userId))
          expect(live.length).toBeGreaterThanOrEqual(Math.min(cap, starts));
      }
    }
  }

  if (facts.onlyStart) {
    // The cap ends the least recently used sessions.
    const { liveBefore } = facts.onlyStart;
    const [gone, left] = [true, false].map((isEnded) =>
      liveBefore
        .filter((session) => session.isEnded === isEnded)
        .map(({ lastSeenAt }) => lastSeenAt.getTime()),
    );
    expect(Math.max(...gone!)).toBeLessThanOrEqual(Math.min(...left!));
  }

  // I5: stored data contains no secret.
  const stored = await open.dump();
  for (const { tokens } of expected) {
    for (const token of tokens) expect(stored.includes(token.split('.')[1]!)).toBe(false);
  }
}

function isExpectedLive(session: Expected, now: Date): boolean {
  return !session.isEnded && now < expectedExpiry(session);
}

/** Returns the expiry by the documentation, not by the engine's own rule. */
function expectedExpiry({ remember, createdAt, lastSeenAt }: Expected): Date {
  const idleMs = remember ? timeouts.rememberedIdleMs : timeouts.idleMs;
  const lifetimeMs = remember ? timeouts.rememberedLifetimeMs : timeouts.lifetimeMs;
  const idleEndMs = lastSeenAt.getTime() + idleMs;
  const lifetimeEndMs = createdAt.getTime() + lifetimeMs;
  return new Date(idleEndMs < lifetimeEndMs ? idleEndMs : lifetimeEndMs);
}

/** Returns the session of a browser that signs in again, as resumed from its cookie. */
async function peekRecord(open: OpenStore, id: string) {
  return (await open.store.fetchSession(id))?.record ?? {};
}

type Conditions = { isDown: boolean; random: () => number };

/** Returns a store that fails, or delays each call by a few turns of the event loop before and after. */
function withConditions(store: SessionStore, conditions: Conditions): SessionStore {
  const delay = async () => {
    for (let turns = Math.floor(conditions.random() * 4); turns > 0; turns -= 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return new Proxy(store, {
    get(target, name) {
      const original = Reflect.get(target, name) as unknown;
      if (typeof original !== 'function') return original;
      return async (...args: unknown[]) => {
        await delay();
        if (conditions.isDown) throw new Error('The store is down.');
        const answer: unknown = await original.apply(target, args);
        await delay();
        return answer;
      };
    },
  });
}

/** Returns a generator of numbers from 0 to 1 by the seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
