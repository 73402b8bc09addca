import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import type { Section } from './part.ts';
import { parts } from './parts/all.ts';
import { markdown } from './table.ts';

const PAGE = new URL('./results.md', import.meta.url);
const HEAD = `# Results

Written by \`npm run bench\`. Running one part replaces only its section. Absolute figures are for one machine; ratios are comparable.
`;

/** Returns the goals of a section as a table. */
export function goalsOf({ goals }: Section): string {
  const rows = goals.map(({ goal, measured, isMet }) => [goal, measured, isMet ? 'met' : 'missed']);
  return markdown(['goal', 'measured', ''], rows);
}

/** Writes a section into results.md, in place of its earlier version. */
export function saveSection(name: string, section: Section): void {
  const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '';
  const sectionTexts = new Map(
    Object.keys(parts).map((part) => [part, sectionIn(page, part)] as [string, string | null]),
  );
  const goals = section.goals.length > 0 ? `\n\n${goalsOf(section)}` : '';
  sectionTexts.set(
    name,
    `## ${section.title}\n\n${section.text.trim()}${goals}\n\n${environmentText()}\n`,
  );
  const sections = [...sectionTexts].flatMap(([part, text]) =>
    text === null ? [] : [`<!-- ${part} -->\n\n${text.trim()}\n`],
  );
  writeFileSync(PAGE, [HEAD, ...sections].join('\n'));
}

function sectionIn(page: string, part: string): string | null {
  const [, after] = page.split(`<!-- ${part} -->`);
  return after === undefined ? null : after.split('<!-- ')[0]!.trim();
}

/** Returns one line with the date, the Node version and the machine. */
function environmentText(): string {
  const [cpu] = cpus();
  const day = new Date().toISOString().slice(0, 10);
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `_${day}, Node ${process.version}, ${cpus().length} × ${cpu!.model.trim()}, ${memory}._`;
}

/** Returns the versions of packages of the bench, as one line. */
export function versionsOf(...names: string[]): string {
  return names
    .map((name) => {
      const file = new URL(`./node_modules/${name}/package.json`, import.meta.url);
      return `${name} ${(JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version}`;
    })
    .join(', ');
}
