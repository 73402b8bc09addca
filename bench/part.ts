/** A performance goal, and its result. */
export interface Goal {
  /** In words, such as "latchkey-sqlite: at least 0.90 of the floor". */
  goal: string;
  /** The measured value, with its unit. */
  measured: string;
  isMet: boolean;
}

/** The results of a part, for results.md. */
export interface Section {
  /** The heading of the section. */
  title: string;
  /** Markdown: the method, the tables, and how to read them. */
  text: string;
  goals: Goal[];
}

/** The options and servers for a part. */
export interface Bench {
  /** `quick` only checks that the part runs and that every response is right; its figures mean nothing. */
  mode: 'quick' | 'whole';
  /** The names of the selected contenders; empty for all. */
  chosen: readonly string[];
  /** An empty folder for this part only. */
  folder: string;
  /** Returns the URL of this run's PostgreSQL server, as its superuser. */
  postgresUrl(): Promise<string>;
  /** Returns the URL of this run's Redis server. */
  redisUrl(): Promise<string>;
  /** Prints a line of progress on standard error. */
  logProgress(text: string): void;
}

/**
 * A part of the bench, which measures one thing.
 *
 * @throws if a response was wrong, because a wrong response may be faster than a right one.
 */
export type Part = (bench: Bench) => Promise<Section>;
