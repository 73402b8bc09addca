import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import type { Section } from './part.ts';
import { parts } from './parts/all.ts';
import { markdown } from './table.ts';

const PAGE = new URL('./results.md', import.meta.url);
const HEAD = `# Results

Written by \`npm run bench\`; a part that is run alone replaces its own section. Absolute figures are those of one machine; ratios carry over.
`;

/** The goals of a section as a table. */
export function goalsOf({ goals }: Section): string {
  const rows = goals.map(({ goal, measured, isMet }) => [goal, measured, isMet ? 'met' : 'missed']);
  return markdown(['goal', 'measured', ''], rows);
}

/** Puts a section into the page of results, in place of what it said before. */
export function keep(name: string, section: Section): void {
  const before = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '';
  const kept = new Map(
    Object.keys(parts).map((part) => [part, sectionIn(before, part)] as [string, string | null]),
  );
  const goals = section.goals.length > 0 ? `\n\n${goalsOf(section)}` : '';
  kept.set(name, `## ${section.title}\n\n${section.text.trim()}${goals}\n\n${circumstances()}\n`);
  const sections = [...kept].flatMap(([part, text]) =>
    text === null ? [] : [`<!-- ${part} -->\n\n${text.trim()}\n`],
  );
  writeFileSync(PAGE, [HEAD, ...sections].join('\n'));
}

function sectionIn(page: string, part: string): string | null {
  const [, after] = page.split(`<!-- ${part} -->`);
  return after === undefined ? null : after.split('<!-- ')[0]!.trim();
}

function circumstances(): string {
  const [cpu] = cpus();
  const day = new Date().toISOString().slice(0, 10);
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `_${day}, Node ${process.version}, ${cpus().length} × ${cpu!.model.trim()}, ${memory}._`;
}

/** Versions of peers that the bench has packages of, as one line. */
export function versionsOf(...names: string[]): string {
  return names
    .map((name) => {
      const file = new URL(`./node_modules/${name}/package.json`, import.meta.url);
      return `${name} ${(JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version}`;
    })
    .join(', ');
}
