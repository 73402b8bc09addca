/** What the issue of speed asks for, and what came of it. */
export interface Goal {
  /** As a person would say it: "signed-in route, SQLite: at least 0.90 of the floor". */
  goal: string;
  /** What was measured, with its unit. */
  measured: string;
  isMet: boolean;
}

/** What a part has found, for the page of results. */
export interface Section {
  /** Heading of its section; stays the same, so that a later run replaces it. */
  title: string;
  /** Markdown: how it was measured, tables, what to read out of them. */
  text: string;
  goals: Goal[];
}

/** What a part is given. */
export interface Bench {
  /** quick: only try that it runs and that every answer is right; figures are worth nothing then. */
  mode: 'quick' | 'whole';
  /** Contenders that were named; empty: all. */
  chosen: readonly string[];
  /** An empty folder of the part's own. */
  folder: string;
  /** A PostgreSQL server of this run's own, as its superuser. */
  postgresUrl(): Promise<string>;
  /** A Redis server of this run's own. */
  redisUrl(): Promise<string>;
  /** A line of progress, on standard error. */
  say(text: string): void;
}

/**
 * One thing that is measured.
 *
 * @throws when an answer was not what it has to be: nothing is faster for answering less.
 */
export type Part = (bench: Bench) => Promise<Section>;
