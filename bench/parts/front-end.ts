import { constants, gzipSync } from 'node:zlib';
import { seed, startBenchApplication } from '../application.ts';
import { launchBrowser, type BenchBrowser, type PaintedLoad } from '../browser.ts';
import type { Judgement } from '../lighthouse.ts';
import type { Goal, Part } from '../part.ts';
import { versionsOf } from '../results.ts';
import { medianOf } from '../rounds.ts';
import { markdown } from '../table.ts';

const LOADS = 7;
/** Scores differ by what else the machine does; Lighthouse itself counsels the median of five. */
const JUDGEMENTS = 5;
const MAX_BYTES = 95 * 1024;
const PRIVATE = '/settings/sessions';
const FULL_SCORE = 100;

/** What a person waits for: bytes of JavaScript, paint on a slow phone, and what Lighthouse says. */
export const frontEnd: Part = async ({ mode, folder, say }) => {
  await seed({ folder });
  const application = await startBenchApplication({ folder });
  const browser = await launchBrowser();
  try {
    // By its name, of which its own Origin header speaks.
    const origin = application.origin.replace('127.0.0.1', 'localhost');
    const token = await application.signIn();
    say('/login, what it fetches');
    const scripts = await scriptsOf(browser, origin);
    const sections = [scripts.text];
    const goals = [scripts.goal];
    if (mode === 'whole') {
      const painted = await paint(browser, { origin, token, say });
      const scores = await judge(browser, { origin, token, say });
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
  /** Of a session of the demo person. */
  token: string;
  say(text: string): void;
}

/** @throws when a script is another in one coding than in the other, or none came compressed. */
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
      throw new Error(`${path} is not the same in every coding`);
    }
    if (brotli!.coding !== 'br' || gzip!.coding !== 'gzip') {
      // Some are so short that they would only grow.
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
    text: `All JavaScript that a first visit to \`/login\` fetches in Chromium without anything being pressed, the service worker's included,
in bytes of the bodies as the server sends them:

${markdown(['files', 'as they are', 'gzip', 'brotli'], rows)}`,
    goal: {
      goal: `JavaScript for /login: at most ${MAX_BYTES.toLocaleString('en')} bytes by gzip -9 (95 KiB)`,
      measured: shown(sums.gzip),
      isMet: sums.gzip <= MAX_BYTES,
    },
  };
}

async function paint(browser: BenchBrowser, { origin, token, say }: Site) {
  const rows: string[][] = [];
  const goals: Goal[] = [];
  for (const path of ['/login', PRIVATE]) {
    const loads: PaintedLoad[] = [];
    for (let load = 1; load <= LOADS; load += 1) {
      say(`${path} on a slow phone, ${load} of ${LOADS}`);
      loads.push(await browser.loadSlowly(origin + path, path === PRIVATE ? token : null));
    }
    const of = (value: (load: PaintedLoad) => number) => medianOf(loads.map(value));
    // The worst of all: none may move.
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
    text: `Loaded by Chromium ${browser.version} with empty caches on Slow 4G (as the developer tools have it: 562.5 ms for each request, 1.44 Mbit/s)
and a CPU slowed down four times, in a window of 390 × 844; medians of ${LOADS} loads, of layout shift the most. First and largest contentful
paint count from the start of the navigation.

${markdown(columns, rows)}`,
  };
}

async function judge(browser: BenchBrowser, { origin, token, say }: Site) {
  // Only now: it is large, and not everybody asks for it.
  const { categories, judgementOf } = await import('../lighthouse.ts');
  const rows: string[][] = [];
  const goals: Goal[] = [];
  for (const path of ['/', '/login', PRIVATE]) {
    const isPrivate = path === PRIVATE;
    const wanted = categories.filter((category) => !(isPrivate && category === 'seo'));
    const found: Judgement[] = [];
    for (let judgement = 1; judgement <= JUDGEMENTS; judgement += 1) {
      say(`Lighthouse on ${path}, ${judgement} of ${JUDGEMENTS}`);
      const one = await judgementOf(origin + path, wanted, {
        port: browser.debuggingPort,
        prepare: async () => {
          if (isPrivate) await browser.signIn(origin, token);
        },
      });
      for (const audit of one.failed) say(`  ${audit}`);
      found.push(one);
    }
    const cells = categories.map((category) => {
      const scores = found.flatMap(({ scores }) => scores[category] ?? []);
      if (scores.length === 0) return '';
      const score = medianOf(scores);
      const goal = `Lighthouse, ${category} of ${path}: ${FULL_SCORE}`;
      goals.push({ goal, measured: score.toFixed(0), isMet: score === FULL_SCORE });
      const [least, most] = [Math.min(...scores), Math.max(...scores)];
      return least === most ? String(score) : `${score} (${least}–${most})`;
    });
    rows.push([path, ...cells, medianOf(found.map(({ speed }) => speed)).toFixed(0)]);
  }
  return {
    goals,
    text: `Lighthouse as it comes (a phone on Slow 4G, simulated), on the built application over http://localhost, medians of ${JUDGEMENTS} and what they were between;
${versionsOf('lighthouse')}. Private pages are not for search engines. What it takes for the
speed of the machine, its own benchmark index, is halved by whatever runs beside it, and performance goes down with it.

${markdown(['page', ...categories, 'speed of the machine'], rows)}`,
  };
}
