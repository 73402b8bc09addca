import { randomUUID } from 'node:crypto';

interface Round {
  /** Allows the next round to begin. */
  letNextBegin: () => void;
  resolve: () => void;
  reject: (error: Error) => void;
  /** Resolves when no lease can be left that the database lost. */
  unknown: Promise<unknown>;
}

/** The rounds of a node and their callers. All calls during a round share the next one. */
export class Rounds {
  readonly #begin: (round: string) => void;
  readonly #rounds = new Map<string, Round>();
  #mayBegin: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  /** @param begin starts a round with the given id. */
  constructor(begin: (round: string) => void) {
    this.#begin = begin;
  }

  /** Resolves when a round that began after the call has finished. Rejects if that round failed. */
  settle(): Promise<void> {
    this.#next ??= this.#mayBegin.then(() => {
      this.#next = null;
      const id = randomUUID();
      return new Promise<void>((resolve, reject) => {
        this.#mayBegin = new Promise((letNextBegin) => {
          this.#rounds.set(id, { letNextBegin, resolve, reject, unknown: Promise.resolve() });
        });
        this.#begin(id);
      });
    });
    return this.#next;
  }

  /** Allows the next round to begin before this one has finished, because this one takes long. */
  letNextBegin(id: string): void {
    this.#rounds.get(id)?.letNextBegin();
  }

  /** Delays the end of the round until the promise resolves. */
  holdUntil(id: string, unknown: Promise<unknown>): void {
    const round = this.#rounds.get(id);
    if (round) round.unknown = Promise.all([round.unknown, unknown]);
  }

  finish(id: string, failure: string | null): void {
    const round = this.#rounds.get(id);
    this.#rounds.delete(id);
    if (!round) return;
    round.letNextBegin();
    if (failure !== null) round.reject(new Error(failure));
    else void round.unknown.then(() => round.resolve());
  }
}
