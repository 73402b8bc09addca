import { setTimeout as delay } from 'node:timers/promises';

/** The parts of the application in closing order: a part closes after every part that uses it. */
const SLOTS = [
  'health',
  'job',
  'streams',
  'build',
  'connections',
  'threads',
  'tracing',
  'metrics',
  'redis',
  'feed',
  'metrics-port',
  'mail',
  'database',
] as const;

type Slot = (typeof SLOTS)[number];
type Close = () => unknown;

export interface Closers {
  set(slot: Slot, close: Close): void;
  /**
   * Closes every slot that is set, once; also after a start that failed halfway.
   *
   * @returns false if it took longer than `withinMs`; the remaining parts are then left open, as in a crash.
   */
  closeAll(withinMs: number): Promise<boolean>;
}

export function createClosers(): Closers {
  const closers = new Map<Slot, Close>();
  const closeInOrder = async () => {
    for (const slot of SLOTS) {
      const close = closers.get(slot);
      closers.delete(slot);
      await close?.();
    }
  };
  return {
    set: (slot, close) => void closers.set(slot, close),
    async closeAll(withinMs) {
      const giveUp = new AbortController();
      const late = delay(withinMs, 'late', { signal: giveUp.signal }).catch(() => null);
      try {
        return (await Promise.race([closeInOrder(), late])) !== 'late';
      } finally {
        giveUp.abort();
      }
    },
  };
}
