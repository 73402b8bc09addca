import lighthouse, { type Result } from 'lighthouse';

export const categories = ['performance', 'accessibility', 'best-practices', 'seo'] as const;
export type Category = (typeof categories)[number];

const FULL_SCORE = 100;
const MAX_ATTEMPTS = 3;

export interface Audit {
  /** From 0 to 100. */
  scores: Partial<Record<Category, number>>;
  /** Lighthouse's benchmark index of this machine. An idle machine has twice that of a busy one. */
  speed: number;
  /** The audits that cost points, one line each. */
  failed: string[];
}

export interface AuditOptions {
  /** The debugging port of Chromium. */
  port: number;
  /** Called before each attempt, because Lighthouse deletes session cookies when it closes its tab. */
  prepare: () => Promise<void>;
}

/**
 * Returns the scores of a page in Lighthouse, on a phone.
 *
 * @throws if Lighthouse fails, or if the page redirects.
 */
export async function auditPage(
  url: string,
  wanted: readonly Category[],
  options: AuditOptions,
): Promise<Audit> {
  const report = await reportOf(url, wanted, options);
  if (!report || report.runtimeError || report.finalDisplayedUrl !== url) {
    const reason = report?.runtimeError?.message ?? `it redirected to ${report?.finalDisplayedUrl}`;
    throw new Error(`Lighthouse could not audit ${url}: ${reason}`);
  }
  const scores: Audit['scores'] = {};
  const failed: string[] = [];
  for (const name of wanted) {
    const category = report.categories[name]!;
    scores[name] = Math.round((category.score ?? NaN) * FULL_SCORE);
    for (const { id, weight } of category.auditRefs) {
      const { score, title, displayValue = '' } = report.audits[id]!;
      if (weight > 0 && score !== null && score < 1) {
        failed.push(`${name}: ${title} ${displayValue} (${score.toFixed(2)}, weight ${weight})`);
      }
    }
  }
  return { scores, speed: report.environment.benchmarkIndex, failed };
}

/** Returns Lighthouse's report. Retries, because Chromium sometimes loses the recording. */
async function reportOf(
  url: string,
  wanted: readonly Category[],
  { port, prepare }: AuditOptions,
): Promise<Result | undefined> {
  let report: Result | undefined;
  for (let attempt = 0; attempt < MAX_ATTEMPTS && (!report || report.runtimeError); attempt += 1) {
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
