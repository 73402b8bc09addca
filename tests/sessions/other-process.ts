import { createInterface } from 'node:readline';
import type { EndReason } from '../../app/sessions/session.ts';
import type { SessionStore } from '../../app/sessions/session-store.ts';
import { Sessions } from '../../app/sessions/sessions.ts';
import { openStore, type StoreAddress } from './open-store.ts';

/** The calls that one process makes concurrently. */
export interface Work {
  nowMs: number;
  maxPerUser?: number;
  start?: { userId: string }[];
  revoke?: string[];
  revokeAllOf?: { userId: string; reason: EndReason };
  /** Resumes and renews each token alternately, so many times. */
  useAndRenew?: { tokens: string[]; times: number };
}

/** The results of the calls. */
export interface WorkResult {
  started: string[];
  revoked: string[];
  endedOfUser: string[];
  /** Every token that a renewal returned. */
  renewed: string[];
}

// As a program: the address is the argument, each input line is work, and each output line a result.
if (process.argv[2]) {
  const open = await openStore(JSON.parse(process.argv[2]) as StoreAddress);
  process.stdout.write('open\n');
  for await (const line of createInterface({ input: process.stdin })) {
    const result = await perform(open.store, JSON.parse(line) as Work);
    process.stdout.write(`${JSON.stringify(result)}\n`);
  }
  await open.close();
}

async function perform(store: SessionStore, work: Work): Promise<WorkResult> {
  const now = new Date(work.nowMs);
  const sessions = new Sessions({ store, maxPerUser: work.maxPerUser });
  const later = (minutes: number) => new Date(work.nowMs + minutes * 60_000);
  const result: WorkResult = { started: [], revoked: [], endedOfUser: [], renewed: [] };

  const useAndRenew = async (token: string, times: number) => {
    let current = token;
    for (let time = 1; time <= times; time += 1) {
      await sessions.resume(current, later(2 * time));
      const renewed = await sessions.renew(current, later(2 * time + 1));
      if (!renewed) return;
      current = renewed.token;
      result.renewed.push(current);
    }
  };

  await Promise.all([
    ...(work.start ?? []).map(async (details) => {
      result.started.push((await sessions.start(details, now)).token);
    }),
    ...(work.revoke ?? []).map(async (id) => {
      if (await sessions.revoke(id, { reason: 'signed-out' }, now)) result.revoked.push(id);
    }),
    ...(work.useAndRenew?.tokens ?? []).map((token) =>
      useAndRenew(token, work.useAndRenew?.times ?? 1),
    ),
    work.revokeAllOf &&
      sessions
        .revokeOthers(work.revokeAllOf.userId, null, work.revokeAllOf, now)
        .then((ids) => result.endedOfUser.push(...ids)),
  ]);
  return result;
}
