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

/** What a store can do; what it cannot is left out of the sequences, or expected of it less sharply. */
export interface Abilities {
  /** Ended sessions leave tombstones, and a renewal keeps the id. */
  tombstones: boolean;
  /** Sessions can be found by user: lists, "sign out everywhere else", the cap, erasure, prune. */
  byUser: boolean;
  /** Rows go with the row of their user. */
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

/** One thing that somebody does. `session` and `token` count round through those there are. */
type Deed =
  | { verb: 'start'; user: number; remember: boolean; replaces: number | null }
  | { verb: 'use' | 'lateUse' | 'peek' | 'renew'; session: number; token: number }
  | { verb: 'revoke'; session: number; asOther: boolean }
  | { verb: 'revokeOthers'; user: number; except: number | null }
  | { verb: 'erase'; user: number; byForeignKey: boolean }
  | { verb: 'prune' };

/** What is played, under a cap of so many sessions a user. */
interface Play {
  cap: number;
  sequence: Step[];
}

/** Time passes, then several clients do something at once. */
interface Step {
  passMs: number;
  deeds: Deed[];
  /** Nothing reaches the store in this step. */
  isDown: boolean;
  /** How the deeds' calls of the store are interleaved. */
  jitter: number;
}

function plays(abilities: Abilities): fc.Arbitrary<Play> {
  const any = fc.nat(1000);
  const user = fc.nat(USERS.length - 1);
  const token = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(3));
  const deeds: fc.WeightedArbitrary<Deed>[] = [
    {
      weight: 5,
      arbitrary: fc.record({
        verb: fc.constant('start' as const),
        user,
        remember: fc.boolean(),
        replaces: fc.option(any, { freq: 3, nil: null }),
      }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        verb: fc.constantFrom(...(['use', 'use', 'lateUse', 'renew', 'peek'] as const)),
        session: any,
        token,
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        verb: fc.constant('revoke' as const),
        session: any,
        asOther: fc.boolean(),
      }),
    },
  ];
  if (abilities.byUser) {
    deeds.push(
      {
        weight: 2,
        arbitrary: fc.record({
          verb: fc.constant('revokeOthers' as const),
          user,
          except: fc.option(any, { freq: 3, nil: null }),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          verb: fc.constant('erase' as const),
          user,
          byForeignKey: fc.boolean(),
        }),
      },
      { weight: 2, arbitrary: fc.constant({ verb: 'prune' as const }) },
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
    deeds: fc.array(fc.oneof(...deeds), { minLength: 1, maxLength: 4 }),
    isDown: fc.integer({ min: 0, max: 19 }).map((die) => die === 0),
    jitter: fc.integer(),
  });
  return fc.record({
    cap: fc.constantFrom(3, 2, 1),
    sequence: fc.array(step, { minLength: 1, maxLength: 16, size: 'max' }),
  });
}

/** What is believed of one session. */
interface Believed {
  id: string;
  userId: string;
  remember: boolean;
  createdAt: Date;
  lastSeenAt: Date;
  /** Every token it ever had; the last one is the one that works. */
  tokens: string[];
  /** It was ended, by whatever but time. */
  isEnded: boolean;
  /** Its row was erased. */
  isErased: boolean;
  /** Its ending, and the whole session with it, as first seen: neither ever changes. */
  ending: SessionEnd | null;
  tombstone: Session | null;
}

/** Drives random sequences over a store and holds each step against what must be true of it. */
export async function checkAgainstModel(
  open: OpenStore,
  elsewhere: OpenStore,
  abilities: Abilities,
  { runs, seed }: { runs: number; seed: number },
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(plays(abilities), (each) => play(each, open, elsewhere, abilities)),
    { numRuns: runs, seed, endOnFailure: false },
  );
}

async function play(
  { cap, sequence }: Play,
  open: OpenStore,
  elsewhere: OpenStore,
  abilities: Abilities,
): Promise<void> {
  await open.clear();
  for (const user of USERS) await open.addUser(user);
  const weather = { isDown: false, random: randomFrom(0) };
  const options = { timeouts, maxPerUser: cap, retentionMs: RETENTION_MS };
  const nodes = [open, elsewhere].map(
    ({ store }) => new Sessions({ ...options, store: inWeather(store as SessionStore, weather) }),
  );
  const quiet = new Sessions({ ...options, store: elsewhere.store });
  const believed: Believed[] = [];
  const late: LateUse[] = [];
  let now = new Date('2026-03-08T07:30:00.123Z');

  for (const step of sequence) {
    now = new Date(now.getTime() + step.passMs);
    weather.isDown = step.isDown;
    weather.random = randomFrom(step.jitter);
    const scene = { believed, now, cap, open, abilities };
    const lateBefore = late.splice(0);
    const facts = await takeStep(step, { ...scene, nodes, late });
    weather.isDown = false;
    await checkStep(facts, { ...scene, quiet });
    if (lateBefore.length > 0) {
      await arrive(lateBefore);
      await checkStep(noFacts(), { ...scene, quiet });
    }
  }
}

/** What the answers of one step say, and what they leave open. */
interface Facts {
  /** Sessions that a deed of this step was to end: they are over, whatever came first. */
  mustBeOver: Set<Believed>;
  /** Sessions that may have been ended, by the cap or by something that came first. */
  mayBeOver: Set<Believed>;
  mustBeErased: Set<Believed>;
  /** Begun while their user was erased. */
  mayBeErased: Set<Believed>;
  /** Rows that ended before this time were pruned; null: no prune. */
  prunedBefore: Date | null;
  startsOf: Map<string, number>;
  /** The one who alone signed in, with nothing else going on, and who was live before. */
  lonelyStart: { userId: string; liveBefore: Believed[] } | null;
  /** Users of whom something was ended in this step, so that there may be fewer than the cap. */
  usersEnded: Set<string>;
}

function noFacts(): Facts {
  return {
    mustBeOver: new Set(),
    mayBeOver: new Set(),
    mustBeErased: new Set(),
    mayBeErased: new Set(),
    prunedBefore: null,
    startsOf: new Map(),
    lonelyStart: null,
    usersEnded: new Set(),
  };
}

/** A request that read its session in one step and writes its activity down after the next. */
interface LateUse {
  session: Believed;
  id: string;
  at: Date;
  letGo: () => void;
  resuming: Promise<ResumedSession>;
}

/** Lets the writes of late requests through: to what became of their sessions since. */
async function arrive(late: LateUse[]): Promise<void> {
  for (const { session, id, at, letGo, resuming } of late) {
    letGo();
    await resuming;
    const isThere = !session.isEnded && session.id === id;
    if (isThere && session.lastSeenAt < at && at < runsOutAt(session)) session.lastSeenAt = at;
  }
}

interface Scene {
  believed: Believed[];
  now: Date;
  cap: number;
  open: OpenStore;
  abilities: Abilities;
}

async function takeStep(
  step: Step,
  scene: Scene & { nodes: Sessions[]; late: LateUse[] },
): Promise<Facts> {
  const { nodes, believed, late, now, cap, open, abilities } = scene;
  // What was there before this step is what its deeds can be about.
  const before = [...believed];
  const wasLive = new Map(before.map((each) => [each, isBelievedLive(each, now)]));
  const pick = (index: number) => before[index % Math.max(1, before.length)];
  const facts = noFacts();
  const used: { session: Believed; token: string; resumed: ResumedSession }[] = [];
  const renewals: { session: Believed; token: string; renewed: StartedSession | null }[] = [];
  const endingDeeds: (() => void)[] = [];
  const erasing = new Set(
    step.deeds.flatMap((deed) => (deed.verb === 'erase' ? USERS[deed.user]! : [])),
  );

  const perform = async (deed: Deed, index: number): Promise<void> => {
    const sessions = nodes[index % nodes.length]!;
    switch (deed.verb) {
      case 'start': {
        const userId = USERS[deed.user]!;
        const replaced = deed.replaces === null ? undefined : pick(deed.replaces);
        const held = replaced && {
          ...(await peekRecord(open, replaced.id)),
        };
        const replaces = held && 'id' in held ? (held as StartedSession['session']) : null;
        let started: StartedSession;
        try {
          started = await sessions.start({ userId, remember: deed.remember, replaces }, now);
        } catch (error) {
          // Its user's row went in this step.
          if (!step.isDown && abilities.foreignKey && erasing.has(userId)) {
            if (replaced) facts.mayBeOver.add(replaced);
            return;
          }
          throw error;
        }
        const { token, session } = started;
        const newOne: Believed = {
          id: session.id,
          userId,
          remember: deed.remember,
          createdAt: now,
          lastSeenAt: now,
          tokens: [token],
          isEnded: false,
          isErased: false,
          ending: null,
          tombstone: null,
        };
        believed.push(newOne);
        if (step.deeds.length === 1 && !replaced) {
          const liveBefore = before.filter(
            (each) => each.userId === userId && wasLive.get(each) === true,
          );
          facts.lonelyStart = { userId, liveBefore };
        }
        facts.startsOf.set(userId, (facts.startsOf.get(userId) ?? 0) + 1);
        // Whatever ends sessions of this user at the same time may have met it.
        facts.mayBeOver.add(newOne);
        if (erasing.has(userId)) facts.mayBeErased.add(newOne);
        if (replaced && replaces && !replaces.revokedAt) {
          facts.usersEnded.add(replaced.userId);
          if (abilities.tombstones) facts.mustBeOver.add(replaced);
          else facts.mayBeOver.add(replaced);
        }
        return;
      }
      case 'lateUse': {
        const session = pick(deed.session);
        const token = session?.tokens.at(-1 - (deed.token % session.tokens.length));
        if (!session || !token || step.isDown) return;
        const { id } = session;
        const held = holding(open.store as SessionStore, 'updateSessionExpiry');
        const over = new Sessions({ timeouts, maxPerUser: cap, store: held.store });
        const resuming = over.resume(token, now);
        const isHeld = await Promise.race([
          held.arrived.then(() => true),
          resuming.then(() => false),
        ]);
        if (isHeld) late.push({ session, id, at: now, letGo: held.letGo, resuming });
        return;
      }
      case 'use':
      case 'peek':
      case 'renew': {
        const session = pick(deed.session);
        const token = session && session.tokens.at(-1 - (deed.token % session.tokens.length));
        if (!session || !token) return;
        if (deed.verb === 'renew') {
          renewals.push({ session, token, renewed: await sessions.renew(token, now) });
        } else {
          const countsAsActivity = deed.verb === 'use';
          const resumed = await sessions.resume(token, now, { countsAsActivity });
          if (countsAsActivity) used.push({ session, token, resumed });
          // I1 and I2, from the side of the one who asks: over before, over now.
          if (!wasLive.get(session)) expect(resumed.state).not.toBe('live');
        }
        return;
      }
      case 'revoke': {
        const session = pick(deed.session);
        if (!session) return;
        const userId = deed.asOther ? USERS.find((id) => id !== session.userId) : session.userId;
        const { id } = session;
        const revoked = await sessions.revoke(id, { reason: 'signed-out', userId }, now);
        if (deed.asOther) {
          expect(revoked).toBe(false);
          return;
        }
        facts.usersEnded.add(session.userId);
        if (revoked) expect(wasLive.get(session)).toBe(true);
        endingDeeds.push(() => {
          // Without tombstones a renewal moves a session to another id, which nobody revoked.
          const moved = session.id !== id && !revoked;
          if (moved) facts.mayBeOver.add(session);
          else facts.mustBeOver.add(session);
        });
        return;
      }
      case 'revokeOthers': {
        const userId = USERS[deed.user]!;
        const except = deed.except === null ? null : pick(deed.except);
        const exceptId = except?.userId === userId ? except.id : null;
        const reason = 'signed-out-elsewhere';
        const ended = await sessions.revokeOthers(userId, exceptId, { reason }, now);
        facts.usersEnded.add(userId);
        for (const session of before.filter((each) => each.userId === userId)) {
          if (session.id !== exceptId && !(except === session)) facts.mustBeOver.add(session);
          // A renewal that changed the id of the one to spare meanwhile leaves it to chance.
          else if (except === session && !abilities.tombstones) facts.mayBeOver.add(session);
          else expect(ended).not.toContain(session.id);
        }
        return;
      }
      case 'erase': {
        const userId = USERS[deed.user]!;
        if (deed.byForeignKey && abilities.foreignKey && !step.isDown) {
          await open.removeUser(userId).catch(() => undefined);
        } else {
          await sessions.erase(userId, now);
        }
        facts.usersEnded.add(userId);
        for (const session of before.filter((each) => each.userId === userId)) {
          facts.mustBeOver.add(session);
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

  const outcomes = await Promise.allSettled(step.deeds.map(perform));
  const failures = outcomes.flatMap((each): unknown[] =>
    each.status === 'rejected' ? [each.reason] : [],
  );
  if (step.isDown) {
    // I4: an error, and no answer that says anything of a session.
    for (const failure of failures) expect(failure).toBeInstanceOf(StoreUnavailableError);
    expect([used, renewals, believed.length]).toEqual([[], [], before.length]);
  } else {
    for (const failure of failures) throw failure as Error;
  }

  for (const session of before) {
    const ofSession = renewals.filter((each) => each.session === session);
    const held = ofSession.filter(({ renewed }) => renewed);
    const current = session.tokens.at(-1)!;
    // A token is renewed once, and only the one that works.
    expect(held.length).toBeLessThanOrEqual(1);
    for (const { token } of held) expect(token).toBe(current);
    if (held.length > 0) expect(wasLive.get(session)).toBe(true);
    const isSeen = used.some(
      ({ session: by, token, resumed }) =>
        by === session && token === current && resumed.state === 'live',
    );
    const isDue = now.getTime() - session.lastSeenAt.getTime() >= timeouts.touchIntervalMs;
    if ((isSeen && isDue) || (held.length > 0 && now > session.lastSeenAt))
      session.lastSeenAt = now;
    for (const { renewed } of held) {
      session.tokens.push(renewed!.token);
      session.id = renewed!.session.id;
    }
    const wasTried = ofSession.some(({ token }) => token === current);
    if (wasTried && held.length === 0 && wasLive.get(session)) facts.mayBeOver.add(session);
  }
  for (const settle of endingDeeds) settle();
  for (const userId of facts.startsOf.keys()) {
    if (!abilities.byUser) continue;
    for (const session of before) if (session.userId === userId) facts.mayBeOver.add(session);
  }
  if (abilities.foreignKey) {
    for (const userId of erasing) await open.addUser(userId).catch(() => undefined);
  }
  return facts;
}

async function checkStep(facts: Facts, scene: Scene & { quiet: Sessions }): Promise<void> {
  const { quiet, believed, now, cap, open, abilities } = scene;
  const peek = (token: string) => quiet.resume(token, now, { countsAsActivity: false });

  await Promise.all(
    believed.map(async (session) => {
      const current = session.tokens.at(-1)!;
      const old = session.tokens.slice(0, -1);
      // I1: a token that was renewed is dead.
      for (const token of old) expect(await peek(token)).toEqual({ state: 'unknown' });

      const wasEnded = session.isEnded;
      const resumed = await peek(current);
      if (facts.mustBeOver.has(session)) session.isEnded = true;
      // I1, I2: what was ended does not come back.
      if (session.isEnded) expect(resumed.state).not.toBe('live');
      const isGone = resumed.state === 'unknown' && facts.mayBeErased.has(session);
      if (facts.mustBeErased.has(session) || isGone) session.isErased = true;
      if (session.isErased) expect(resumed).toEqual({ state: 'unknown' });

      const endsAt = runsOutAt(session);
      if (now >= endsAt) {
        expect(resumed.state).not.toBe('live');
      } else if (!session.isEnded && !facts.mayBeOver.has(session)) {
        // Nobody is signed out for nothing.
        expect(resumed.state).toBe('live');
      }
      if (!session.isEnded && facts.mayBeOver.has(session)) {
        const isRevoked = resumed.state === 'ended' && resumed.session.revokedAt !== null;
        session.isEnded = isRevoked || resumed.state === 'unknown';
      }
      if (resumed.state === 'live') {
        // I3: never past its lifetime, and by activity exactly as far as the rules say.
        expect(resumed.session.expiresAt).toEqual(endsAt);
        const lifetimeMs = session.remember ? timeouts.rememberedLifetimeMs : timeouts.lifetimeMs;
        const endMs = session.createdAt.getTime() + lifetimeMs;
        expect(resumed.session.expiresAt.getTime()).toBeLessThanOrEqual(endMs);
        expect(resumed.session.createdAt).toEqual(session.createdAt);
        expect(resumed.session.userId).toBe(session.userId);
      }
      if (resumed.state === 'ended' && session.isEnded) {
        // A tombstone is not rewritten.
        if (wasEnded && session.tombstone) expect(resumed.session).toEqual(session.tombstone);
        session.ending = resumed.ending;
        session.tombstone = resumed.session;
        expect(endingOf(resumed.session, now, timeouts)).toEqual(resumed.ending);
      }
      if (!abilities.tombstones || session.isErased) return;
      const endedAt = session.ending?.at ?? (now >= endsAt ? endsAt : null);
      if (facts.prunedBefore && endedAt && endedAt < facts.prunedBefore) {
        // Pruned rows are gone, and stay so; one that was just being written to waits for the next.
        if (facts.usersEnded.size === 0) expect(resumed.state).toBe('unknown');
        if (resumed.state === 'unknown') session.isEnded = session.isErased = true;
      } else if (endedAt && resumed.state === 'unknown') {
        // Gone too early.
        expect.fail(`pruned within its retention: ${JSON.stringify(session)}`);
      }
    }),
  );

  if (abilities.byUser) {
    for (const userId of USERS) {
      const live = believed.filter(
        (session) => session.userId === userId && isBelievedLive(session, now),
      );
      const { live: listed } = await quiet.list(userId, now, { limit: 50 });
      expect(listed.map(({ id }) => id).sort()).toEqual(live.map(({ id }) => id).sort());
      const starts = facts.startsOf.get(userId) ?? 0;
      if (starts > 0) {
        // The cap leaves as many as it allows: not more, and not fewer.
        expect(live.length).toBeLessThanOrEqual(cap);
        if (!facts.usersEnded.has(userId))
          expect(live.length).toBeGreaterThanOrEqual(Math.min(cap, starts));
      }
    }
  }

  if (facts.lonelyStart) {
    // The cap takes those that were used least recently.
    const { liveBefore } = facts.lonelyStart;
    const [gone, left] = [true, false].map((isEnded) =>
      liveBefore
        .filter((session) => session.isEnded === isEnded)
        .map(({ lastSeenAt }) => lastSeenAt.getTime()),
    );
    expect(Math.max(...gone!)).toBeLessThanOrEqual(Math.min(...left!));
  }

  // I5: nothing that is kept opens a door.
  const kept = await open.dump();
  for (const { tokens } of believed) {
    for (const token of tokens) expect(kept.includes(token.split('.')[1]!)).toBe(false);
  }
}

function isBelievedLive(session: Believed, now: Date): boolean {
  return !session.isEnded && now < runsOutAt(session);
}

/** By the documentation, not by the engine's own rule. */
function runsOutAt({ remember, createdAt, lastSeenAt }: Believed): Date {
  const idleMs = remember ? timeouts.rememberedIdleMs : timeouts.idleMs;
  const lifetimeMs = remember ? timeouts.rememberedLifetimeMs : timeouts.lifetimeMs;
  const idleEndMs = lastSeenAt.getTime() + idleMs;
  const lifetimeEndMs = createdAt.getTime() + lifetimeMs;
  return new Date(idleEndMs < lifetimeEndMs ? idleEndMs : lifetimeEndMs);
}

/** What a browser that signs in again would hand over: its session as it was resumed. */
async function peekRecord(open: OpenStore, id: string) {
  return (await open.store.fetchSession(id))?.record ?? {};
}

type Weather = { isDown: boolean; random: () => number };

/** A store whose calls are late by a few turns of the event loop, before and after; or down. */
function inWeather(store: SessionStore, weather: Weather): SessionStore {
  const dawdle = async () => {
    for (let turns = Math.floor(weather.random() * 4); turns > 0; turns -= 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return new Proxy(store, {
    get(target, name) {
      const original = Reflect.get(target, name) as unknown;
      if (typeof original !== 'function') return original;
      return async (...args: unknown[]) => {
        await dawdle();
        if (weather.isDown) throw new Error('The store is down.');
        const answer: unknown = await original.apply(target, args);
        await dawdle();
        return answer;
      };
    },
  });
}

/** Numbers from 0 to 1 that follow from the seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
