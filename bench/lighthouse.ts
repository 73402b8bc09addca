import lighthouse, { type Result } from 'lighthouse';

export const categories = ['performance', 'accessibility', 'best-practices', 'seo'] as const;
export type Category = (typeof categories)[number];

const FULL = 100;
const MAX_TRIES = 3;

export interface Judgement {
  /** From 0 to 100. */
  scores: Partial<Record<Category, number>>;
  /** How fast it found this machine to be, by a count of its own; a quiet one has twice that of a busy one. */
  speed: number;
  /** What cost points or was found wanting, a line each. */
  failed: string[];
}

export interface Judging {
  /** Of a Chromium that may be debugged. */
  port: number;
  /** Called before each look: with its tab, Lighthouse takes away the cookies that last as long as the browser. */
  prepare: () => Promise<void>;
}

/**
 * What Lighthouse says of a page, on a phone.
 *
 * @throws when the page could not be judged, or led elsewhere.
 */
export async function judgementOf(
  url: string,
  wanted: readonly Category[],
  judging: Judging,
): Promise<Judgement> {
  const report = await reportOf(url, wanted, judging);
  if (!report || report.runtimeError || report.finalDisplayedUrl !== url) {
    const why = report?.runtimeError?.message ?? `it led to ${report?.finalDisplayedUrl}`;
    throw new Error(`Lighthouse could not judge ${url}: ${why}`);
  }
  const scores: Judgement['scores'] = {};
  const failed: string[] = [];
  for (const name of wanted) {
    const category = report.categories[name]!;
    scores[name] = Math.round((category.score ?? NaN) * FULL);
    for (const { id, weight } of category.auditRefs) {
      const { score, title, displayValue = '' } = report.audits[id]!;
      if (weight > 0 && score !== null && score < 1) {
        failed.push(`${name}: ${title} ${displayValue} (${score.toFixed(2)}, weight ${weight})`);
      }
    }
  }
  return { scores, speed: report.environment.benchmarkIndex, failed };
}

/** Once more where Chromium lost the recording, as it does now and then: that says nothing of the page. */
async function reportOf(
  url: string,
  wanted: readonly Category[],
  { port, prepare }: Judging,
): Promise<Result | undefined> {
  let report: Result | undefined;
  for (let tries = 0; tries < MAX_TRIES && (!report || report.runtimeError); tries += 1) {
    await prepare();
    const result = await lighthouse(url, {
      port,
      output: 'json',
      logLevel: 'error',
      onlyCategories: [...wanted],
    });
    report = result?.lhr;
  }
  return report;
}
