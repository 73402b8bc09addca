import { constants, gzipSync } from 'node:zlib';
import { seed, startBenchApplication } from '../application.ts';
import { launchBrowser, type BenchBrowser, type PaintedLoad } from '../browser.ts';
import type { Audit } from '../lighthouse.ts';
import type { Goal, Part } from '../part.ts';
import { versionsOf } from '../results.ts';
import { medianOf } from '../rounds.ts';
import { markdown } from '../table.ts';

const LOADS = 7;
/** Scores depend on the load of the machine. Lighthouse recommends the median of five. */
const AUDITS = 5;
const MAX_BYTES = 95 * 1024;
const PRIVATE = '/settings/sessions';
const FULL_SCORE = 100;

/** Measures the bytes of JavaScript, the paint times on a slow phone, and the scores of Lighthouse. */
export const frontEnd: Part = async ({ mode, folder, logProgress }) => {
  await seed({ folder });
  const application = await startBenchApplication({ folder });
  const browser = await launchBrowser();
  try {
    // localhost, because the application's origin has that name.
    const origin = application.origin.replace('127.0.0.1', 'localhost');
    const token = await application.signIn();
    logProgress('/login, what it fetches');
    const scripts = await scriptsOf(browser, origin);
    const sections = [scripts.text];
    const goals = [scripts.goal];
    if (mode === 'whole') {
      const painted = await paint(browser, { origin, token, logProgress });
      const scores = await audit(browser, { origin, token, logProgress });
      sections.push(painted.text, scores.text);
      goals.push(...painted.goals, ...scores.goals);
    }
    return { title: 'The pages in a browser', text: sections.join('\n\n'), goals };
  } finally {
    await browser.close();
    await application.stop();
  }
};

interface Site {
  origin: string;
  /** The token of a session of the demo user. */
  token: string;
  logProgress(text: string): void;
}

/**
 * Measures the JavaScript of the sign-in page.
 *
 * @throws if a script differs between codings, or is not compressed.
 */
async function scriptsOf(browser: BenchBrowser, origin: string) {
  const rows: string[][] = [];
  const sums = { files: 0, bytes: 0, gzip: 0, gzipSent: 0, brotliSent: 0 };
  for (const path of await browser.scriptsOf(`${origin}/login`)) {
    const inCoding = async (coding: string) => {
      const answer = await fetch(origin + path, { headers: { 'Accept-Encoding': coding } });
      const sent = Number(answer.headers.get('content-length'));
      return { sent, text: await answer.text(), coding: answer.headers.get('content-encoding') };
    };
    const [plain, gzip, brotli] = await Promise.all(['identity', 'gzip', 'br'].map(inCoding));
    if (plain!.text !== gzip!.text || plain!.text !== brotli!.text || plain!.text === '') {
      throw new Error(`${path} differs between codings`);
    }
    if (brotli!.coding !== 'br' || gzip!.coding !== 'gzip') {
      // Very short scripts would only grow.
      if (plain!.sent > 100) throw new Error(`${path} is not compressed`);
    }
    sums.files += 1;
    sums.bytes += plain!.sent;
    sums.gzip += gzipSync(plain!.text, { level: constants.Z_BEST_COMPRESSION }).length;
    sums.gzipSent += gzip!.sent;
    sums.brotliSent += brotli!.sent;
  }
  const shown = (bytes: number) => bytes.toLocaleString('en');
  rows.push([String(sums.files), ...[sums.bytes, sums.gzipSent, sums.brotliSent].map(shown)]);
  return {
    text: `All JavaScript, including the service worker, that a first visit to \`/login\` in Chromium fetches without any interaction, in bytes
of the bodies that the server sends:

${markdown(['files', 'uncompressed', 'gzip', 'brotli'], rows)}`,
    goal: {
      goal: `JavaScript for /login: at most ${MAX_BYTES.toLocaleString('en')} bytes by gzip -9 (95 KiB)`,
      measured: shown(sums.gzip),
      isMet: sums.gzip <= MAX_BYTES,
    },
  };
}

async function paint(browser: BenchBrowser, { origin, token, logProgress }: Site) {
  const rows: string[][] = [];
  const goals: Goal[] = [];
  for (const path of ['/login', PRIVATE]) {
    const loads: PaintedLoad[] = [];
    for (let load = 1; load <= LOADS; load += 1) {
      logProgress(`${path} on a slow phone, ${load} of ${LOADS}`);
      loads.push(await browser.loadSlowly(origin + path, path === PRIVATE ? token : null));
    }
    const of = (value: (load: PaintedLoad) => number) => medianOf(loads.map(value));
    // The worst load: no load may have a shift.
    const shift = Math.max(...loads.map((load) => load.layoutShift));
    rows.push([
      path,
      of((load) => load.firstByteMs).toFixed(0),
      of((load) => load.firstPaintMs).toFixed(0),
      of((load) => load.largestPaintMs).toFixed(0),
      shift.toFixed(3),
    ]);
    goals.push({
      goal: `${path}: no layout shift`,
      measured: shift.toFixed(3),
      isMet: shift === 0,
    });
  }
  const columns = ['page', 'first byte ms', 'first paint ms', 'largest paint ms', 'layout shift'];
  return {
    goals,
    text: `Loaded by Chromium ${browser.version} with empty caches on Slow 4G (of the developer tools: 562.5 ms per request, 1.44 Mbit/s) with the CPU
slowed down four times, in a window of 390 × 844. Medians of ${LOADS} loads; for the layout shift, the maximum. First and largest
contentful paint are measured from the start of the navigation.

${markdown(columns, rows)}`,
  };
}

async function audit(browser: BenchBrowser, { origin, token, logProgress }: Site) {
  // A dynamic import, because Lighthouse is large and most runs do not need it.
  const { categories, auditPage } = await import('../lighthouse.ts');
  const rows: string[][] = [];
  const goals: Goal[] = [];
  for (const path of ['/', '/login', PRIVATE]) {
    const isPrivate = path === PRIVATE;
    const wanted = categories.filter((category) => !(isPrivate && category === 'seo'));
    const audits: Audit[] = [];
    for (let count = 1; count <= AUDITS; count += 1) {
      logProgress(`Lighthouse on ${path}, ${count} of ${AUDITS}`);
      const result = await auditPage(origin + path, wanted, {
        port: browser.debuggingPort,
        prepare: async () => {
          if (isPrivate) await browser.signIn(origin, token);
        },
      });
      for (const line of result.failed) logProgress(`  ${line}`);
      audits.push(result);
    }
    const cells = categories.map((category) => {
      const scores = audits.flatMap(({ scores }) => scores[category] ?? []);
      if (scores.length === 0) return '';
      const score = medianOf(scores);
      const goal = `Lighthouse, ${category} of ${path}: ${FULL_SCORE}`;
      goals.push({ goal, measured: score.toFixed(0), isMet: score === FULL_SCORE });
      const [least, most] = [Math.min(...scores), Math.max(...scores)];
      return least === most ? String(score) : `${score} (${least}–${most})`;
    });
    rows.push([path, ...cells, medianOf(audits.map(({ speed }) => speed)).toFixed(0)]);
  }
  return {
    goals,
    text: `Lighthouse with its default settings (a simulated phone on Slow 4G), on the built application at http://localhost: medians of ${AUDITS} audits,
with their range; ${versionsOf('lighthouse')}. Private pages have no SEO score. The speed of the machine is Lighthouse's benchmark index:
other work on the machine can halve it, and lowers the performance score.

${markdown(['page', ...categories, 'speed of the machine'], rows)}`,
  };
}
