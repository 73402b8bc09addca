import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { inProject } from '../../scripts/set-up/project.js';

interface Document {
  /** Below the project's folder. */
  file: string;
  /** Without blocks of code: their paths are those of other projects. */
  text: string;
}

const inDocs = readdirSync(inProject('docs'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.md'))
  .map((file) => path.posix.join('docs', file.split(path.sep).join('/')));
const documents: Document[] = ['README.md', 'STYLE.md', ...inDocs.sort()].map((file) => ({
  file,
  text: readFileSync(inProject(file), 'utf8').replace(/^ *```.*?^ *```$/gms, ''),
}));

const LINK = /\]\(([^()\s]+)\)|\b(?:src|srcset|href)="([^"]+)"/g;
const IN_CODE = /`([^`\n]+)`/g;
const PATH = /^[\w.@-]+(\/[\w.@-]+)+\/?$/;
const SOURCE_FILE = /\.(ts|tsx|js|cjs|md|prisma|sql|css|svg|ya?ml)$/;
/** Endings that a path may leave out: `pages/sign-in` is `tests/pages/sign-in.test.ts`. */
const ENDINGS = ['', '.test.ts', '.ts', '.tsx', '.server.ts'];

const isExternal = (link: string) => /^[a-z]+:/.test(link);

/** The relative links of a document, and what they lead to, below the project's folder. */
function linksOf({ file, text }: Document): { link: string; target: string; anchor: string }[] {
  return [...text.matchAll(LINK)]
    .map(([, inMarkdown, inHtml]) => inMarkdown ?? inHtml!)
    .filter((link) => !isExternal(link))
    .map((link) => {
      const [target = '', anchor = ''] = link.split('#');
      const path_ = target === '' ? file : path.posix.join(path.posix.dirname(file), target);
      return { link, target: path_, anchor };
    });
}

/** Returns the anchors that GitHub makes of a document's headings. */
function anchorsOf(file: string): string[] {
  const headings = readFileSync(inProject(file), 'utf8').matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** The folders that a path in a document may begin in, apart from the document's own. */
const BASES = ['', 'app', 'tests'];
const FOLDERS = [
  'app',
  'tests',
  'scripts',
  'docs',
  'prisma',
  'commands',
  'packages',
  'deploy',
  'vite',
];
const firstFolders = new Set([
  ...FOLDERS,
  ...['app', 'tests'].flatMap((base) =>
    readdirSync(inProject(base), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name),
  ),
]);

/** The paths of this project that a document names as code: `app/routes.ts`, `pages/sign-in`. */
function pathsOf({ text }: Document): string[] {
  return [...text.matchAll(IN_CODE)]
    .map(([, code]) => code!)
    .filter((code) => PATH.test(code))
    .filter((code) => SOURCE_FILE.test(code) || firstFolders.has(code.split('/')[0]!));
}

const isInProject = (named: string) =>
  BASES.some((base) => ENDINGS.some((ending) => existsSync(inProject(base, named + ending))));

test('every relative link in the documents leads to a file or folder that exists', () => {
  const broken = documents.flatMap((document) =>
    linksOf(document)
      .filter(({ target }) => !existsSync(inProject(target)))
      .map(({ link }) => `${document.file}: ${link}`),
  );
  expect(documents.flatMap(linksOf).length).toBeGreaterThan(50);
  expect(broken).toEqual([]);
});

test('every link to a heading in the documents names a heading that exists', () => {
  const broken = documents.flatMap((document) =>
    linksOf(document)
      .filter(({ target, anchor }) => anchor !== '' && target.endsWith('.md'))
      .filter(({ target }) => existsSync(inProject(target)))
      .filter(({ target, anchor }) => !anchorsOf(target).includes(anchor))
      .map(({ link }) => `${document.file}: ${link}`),
  );
  expect(broken).toEqual([]);
});

test('every path that the documents name as code exists', () => {
  const missing = documents.flatMap((document) =>
    pathsOf(document)
      .filter((named) => !isInProject(named))
      .map((named) => `${document.file}: ${named}`),
  );
  expect(documents.flatMap(pathsOf).length).toBeGreaterThan(50);
  expect(missing).toEqual([]);
});

test('every rule in docs/invariants.md links to a test that exists', () => {
  const { file, text } = documents.find((document) => document.file === 'docs/invariants.md')!;
  const rules = text.split(/^(?=### )/m).slice(1);
  const withoutTest = rules
    .filter((rule) => {
      const targets = linksOf({ file, text: rule }).map(({ target }) => target);
      return !targets.some(
        (target) => /^tests\/.+\.ts$/.test(target) && existsSync(inProject(target)),
      );
    })
    .map((rule) => rule.split('\n')[0]);
  expect(rules.length).toBeGreaterThan(7);
  expect(withoutTest).toEqual([]);
});
