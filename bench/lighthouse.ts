import lighthouse from 'lighthouse';

export const categories = ['performance', 'accessibility', 'best-practices', 'seo'] as const;
export type Category = (typeof categories)[number];

const FULL = 100;

export interface Judgement {
  /** From 0 to 100. */
  scores: Partial<Record<Category, number>>;
  /** How fast it found this machine to be, by a count of its own; a quiet one has twice that of a busy one. */
  speed: number;
  /** What cost points or was found wanting, a line each. */
  failed: string[];
}

/**
 * What Lighthouse says of a page, on a phone.
 *
 * @param port of a Chromium that may be debugged
 * @throws when the page could not be judged, or led elsewhere.
 */
export async function judgementOf(
  url: string,
  wanted: readonly Category[],
  port: number,
): Promise<Judgement> {
  const result = await lighthouse(url, {
    ...{ port, output: 'json', logLevel: 'error', onlyCategories: [...wanted] },
  });
  const report = result?.lhr;
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
