import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { drawArchitecture } from '../../scripts/architecture/drawing.ts';
import { importsOf, readImports } from '../../scripts/architecture/imports.ts';
import { OWN_FILES, ROOMS } from '../../scripts/architecture/rooms.ts';
import { inProject } from '../../scripts/set-up/project.js';

test('docs/architecture.svg is what "npm run architecture" draws from the imports', () => {
  const picture = readFileSync(inProject('docs/architecture.svg'), 'utf8');
  expect(picture).toBe(drawArchitecture(readImports()));
});

test('the list of rooms names every folder of app/ and nothing else', () => {
  const folders = readdirSync(inProject('app'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  const rooms = ROOMS.filter((room) => room !== OWN_FILES);
  expect(rooms.toSorted()).toEqual(folders.toSorted());
});

test('docs/architecture.md lists the rooms in their order', () => {
  const document = readFileSync(inProject('docs/architecture.md'), 'utf8');
  const listed = [...document.matchAll(/^\d+\. \*\*`([\w-]+)\/?`\*\*/gm)].map(([, name]) => name);
  expect(listed).toEqual(ROOMS);
});

test('every way to import a file of app/ is found in its source', () => {
  const source = `
    import { a, type B } from '#app/sessions/index.ts';
    import type { C } from './c.ts';
    import '../styles.ts';
    export { d } from '../ui/d.tsx';
    const e = await import('#app/mail/e.server.ts');
    const f = new URL('./f-worker.ts', import.meta.url);
    import { test } from 'vitest';
    import { g } from '../../scripts/g.ts';
  `;
  const found = importsOf('api/operations.ts', source).map(({ to }) => to);
  expect(found).toEqual([
    'sessions/index.ts',
    'api/c.ts',
    'styles.ts',
    'ui/d.tsx',
    'mail/e.server.ts',
    'api/f-worker.ts',
  ]);
});
