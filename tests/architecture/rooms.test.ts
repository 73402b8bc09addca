import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { OWN_FILES, ROOMS as ALL_ROOMS } from '../../scripts/architecture/rooms.ts';
import { inProject } from '../../scripts/set-up/project.js';

/** The ordered list; see docs/architecture.md. */
const ROOMS = ALL_ROOMS.filter((room) => room !== OWN_FILES && room !== 'routes');
/** The roof: files beside the rooms, and the routes. Each imports what stands before it, and the rooms. */
const ROOF = [
  'routes.ts',
  'session-engines.server.ts',
  'base.server.ts',
  'application.ts',
  'context.server.ts',
  'routes',
  'root.tsx',
  'entry.server.tsx',
  'entry.client.tsx',
];
const ORDER = [...ROOMS, ...ROOF];

/** An import, by the files that it connects: below `app/`, or the name of a package. */
interface Arrow {
  from: string;
  to: string;
  isType: boolean;
}

const files = readdirSync(inProject('app'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => path.relative(inProject('app'), path.join(entry.parentPath, entry.name)))
  .map((file) => file.split(path.sep).join('/'));
const sources = files.filter((file) => /\.tsx?$/.test(file));
const textOf = (file: string) => readFileSync(inProject('app', file), 'utf8');

const SPECIFIER =
  /(?:\b(?:import|export)\s+(type\s)?(?:[\w*{}\s,$]+\sfrom\s+)?|\bimport\(\s*)'([^'\n]+)'/g;

function arrowsOf(file: string): Arrow[] {
  return [...textOf(file).matchAll(SPECIFIER)].map(([, type, specifier = '']) => ({
    from: file,
    to: targetOf(file, specifier),
    isType: Boolean(type),
  }));
}

function targetOf(from: string, specifier: string): string {
  const bare = specifier.replace(/\?.*$/, '');
  if (bare.startsWith('#app/')) return bare.slice('#app/'.length);
  return bare.startsWith('.') ? path.posix.join(path.posix.dirname(from), bare) : bare;
}

const arrows = sources.flatMap(arrowsOf);
const isOurs = ({ to }: Arrow) => files.includes(to);
const roomOf = (file: string) => file.split('/')[0]!;
const show = (found: Arrow[]) => found.map(({ from, to }) => `${from} -> ${to}`);

test('every folder and file of app/ stands in the ordered list', () => {
  const rooms = new Set(files.map(roomOf));
  const allowed = new Set([...ORDER, 'tailwind.css']);
  expect([...rooms].filter((room) => !allowed.has(room))).toEqual([]);
});

test('a room imports only rooms above it, values and types alike', () => {
  const downward = arrows
    .filter(isOurs)
    // The route config reads the helpers of the table before the server exists.
    .filter(({ from, to }) => ORDER.indexOf(roomOf(to)) > ORDER.indexOf(roomOf(from)));
  // The load context is typed by the application, which is made of everything else.
  expect(show(downward)).toEqual([]);
});

test('a room imports itself by a relative path and others by #app/', () => {
  const odd = sources.flatMap((file) =>
    [...textOf(file).matchAll(SPECIFIER)]
      .map(([, , specifier = '']) => specifier)
      .filter((specifier) => {
        const target = targetOf(file, specifier);
        if (!files.includes(target)) return false;
        const isOwnRoom = roomOf(target) === roomOf(file) && file.includes('/');
        return isOwnRoom ? specifier.startsWith('#app/') : specifier.startsWith('../');
      })
      .map((specifier) => `${file} -> ${specifier}`),
  );
  expect(odd).toEqual([]);
});

test('no files import each other in a circle, not even by types', () => {
  const next = new Map<string, string[]>();
  for (const { from, to } of arrows.filter(isOurs)) {
    next.set(from, [...(next.get(from) ?? []), to]);
  }
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, trail: string[]): void => {
    const start = trail.indexOf(file);
    if (start >= 0) return void circles.push([...trail.slice(start), file].join(' -> '));
    if (done.has(file)) return;
    for (const target of next.get(file) ?? []) visit(target, [...trail, file]);
    done.add(file);
  };
  for (const file of sources) visit(file, []);
  expect(circles).toEqual([]);
});

test('only routes, the root and the entries import the load context', () => {
  const importers = arrows.filter(({ to }) => to === 'context.server.ts').map(({ from }) => from);
  const allowed = /^(routes\/|root\.tsx$|entry\.)/;
  expect(importers.filter((file) => !allowed.test(file))).toEqual([]);
});

test('inside app/ only the load context imports the application, as a type', () => {
  const importers = arrows.filter(({ to }) => to === 'application.ts');
  expect(importers.filter(({ isType }) => !isType)).toEqual([]);
  expect(importers.map(({ from }) => from)).toEqual(['context.server.ts']);
});

test('the engine imports no web framework', () => {
  const web = /^(@remix-run\/|react(-dom)?(\/|$)|express$)/;
  const found = arrows.filter(
    ({ from, to }) =>
      roomOf(from) === 'sessions' && !from.startsWith('sessions/express/') && web.test(to),
  );
  expect(show(found)).toEqual([]);
});

test('only database/ and sessions/ import database clients', () => {
  const clients =
    /^(@prisma\/|(pg|better-sqlite3|redis|ioredis)$)|(^|\/)prisma\/(sqlite|postgresql)\//;
  const found = arrows.filter(
    ({ from, to }) => clients.test(to) && !/^(database|sessions)\//.test(from),
  );
  expect(show(found)).toEqual([]);
});

test('no route imports another route, but for files in its own folder', () => {
  const found = arrows.filter(
    ({ from, to }) =>
      from.startsWith('routes/') &&
      to.startsWith('routes/') &&
      path.posix.dirname(to) !== path.posix.dirname(from),
  );
  expect(show(found)).toEqual([]);
});

const MAX_FILES_A_FOLDER = 25;

test(`no folder of app/ holds more than ${MAX_FILES_A_FOLDER} files`, () => {
  const counts = new Map<string, number>();
  for (const file of files) {
    const folder = path.posix.dirname(file);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  const full = [...counts].filter(([, count]) => count > MAX_FILES_A_FOLDER);
  expect(full).toEqual([]);
});

const MAX_LINES = 300;
const MAX_SERVER_LINES = 80;
/** Files that are one thing, and longer. */
const LONG_FILES = [
  /^sessions\/sessions\.ts$/,
  /^sessions\/stores\//,
  // One state machine, which the model checker drives as a whole.
  /^sessions\/leases\/protocol\.ts$/,
  /^privacy\/data-map\/data-map\.ts$/,
  /^database\/(migrations|restore)\.server\.ts$/,
  // One line for each object that lives as long as the process.
  /^application\.ts$/,
];

test(`no file of app/ is longer than ${MAX_LINES} lines, but for the named exceptions`, () => {
  const lines = (file: string) => textOf(file).split('\n').length - 1;
  const long = sources.filter(
    (file) => lines(file) > MAX_LINES && !LONG_FILES.some((pattern) => pattern.test(file)),
  );
  expect(long.map((file) => `${file}: ${lines(file)}`)).toEqual([]);
});

test('server.ts stays short', () => {
  const lines = readFileSync(inProject('server.ts'), 'utf8').split('\n').length - 1;
  expect(lines).toBeLessThanOrEqual(MAX_SERVER_LINES);
});

test('no route writes a Set-Cookie header: cookies go into the jar of the visit', () => {
  const writers = sources.filter((file) => /['"]Set-Cookie['"]/i.test(textOf(file)));
  expect(writers).toEqual(['http/start-visit.server.ts']);
});

test('every sealed cookie has a name of its own', () => {
  const names = sources.flatMap((file) => {
    const text = textOf(file);
    return /sealedCookie/.test(text)
      ? [...text.matchAll(/\bname: '([a-z-]+)'/g)].map(([, name]) => name!)
      : [];
  });
  expect(names.length).toBeGreaterThan(5);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

test('no object or list is spread into another only to group its parts', () => {
  const spread = sources.filter((file) => /\.\.\.\{\s*\w+[,:} ]|\[\.\.\.\[/.test(textOf(file)));
  expect(spread).toEqual([]);
});

/** What Remix calls by name. */
const CALLED_BY_REMIX =
  /^(loader|action|meta|headers|links|shouldRevalidate|ErrorBoundary|Layout|streamTimeout|handleError)$/;

test('every export of app/ is used by another file', () => {
  const all = execFileSync('git', ['ls-files', '*.ts', '*.tsx', '*.js'], {
    cwd: inProject('.'),
    encoding: 'utf8',
  })
    .split('\n')
    .filter((file) => file !== '' && existsSync(inProject(file)))
    .map((file) => ({ file, text: readFileSync(inProject(file), 'utf8') }));
  const unused = sources
    // The engine is a published package: its exports are for others.
    .filter((file) => !file.startsWith('sessions/'))
    .flatMap((file) =>
      [
        ...textOf(file).matchAll(
          /^export (?:async )?(?:function|const|interface|type|class) (\w+)/gm,
        ),
      ]
        .map(([, name = '']) => name)
        .filter((name) => !(/^(routes\/|root|entry)/.test(file) && CALLED_BY_REMIX.test(name)))
        .filter((name) => {
          const word = new RegExp(`\\b${name}\\b`);
          return !all.some((other) => other.file !== `app/${file}` && word.test(other.text));
        })
        .map((name) => `${file}: ${name}`),
    );
  expect(unused).toEqual([]);
});
