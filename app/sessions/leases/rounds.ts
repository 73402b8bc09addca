import { randomUUID } from 'node:crypto';

interface Round {
  /** Callers may begin the next round. */
  letNextBegin: () => void;
  resolve: () => void;
  reject: (error: Error) => void;
  /** Until then there may be leases that the database lost. */
  unknown: Promise<unknown>;
}

/** The rounds of a node and the callers that wait for them. Callers that ask during a round share the next one. */
export class Rounds {
  readonly #begin: (round: string) => void;
  readonly #underWay = new Map<string, Round>();
  #mayBegin: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  /** @param begin starts a round by this id. */
  constructor(begin: (round: string) => void) {
    this.#begin = begin;
  }

  /** Resolves when a round is over that began after the call. */
  settle(): Promise<void> {
    this.#next ??= this.#mayBegin.then(() => {
      this.#next = null;
      const id = randomUUID();
      return new Promise<void>((resolve, reject) => {
        this.#mayBegin = new Promise((letNextBegin) => {
          this.#underWay.set(id, { letNextBegin, resolve, reject, unknown: Promise.resolve() });
        });
        this.#begin(id);
      });
    });
    return this.#next;
  }

  /** A round that takes long holds no other up. */
  letNextBegin(id: string): void {
    this.#underWay.get(id)?.letNextBegin();
  }

  /** Ends the round no sooner than this promise. */
  holdUntil(id: string, unknown: Promise<unknown>): void {
    const round = this.#underWay.get(id);
    if (round) round.unknown = Promise.all([round.unknown, unknown]);
  }

  finish(id: string, failure: string | null): void {
    const round = this.#underWay.get(id);
    this.#underWay.delete(id);
    if (!round) return;
    round.letNextBegin();
    if (failure !== null) round.reject(new Error(failure));
    else void round.unknown.then(() => round.resolve());
  }
}
