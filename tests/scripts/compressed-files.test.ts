import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { compressFiles } from '../../scripts/set-up/compressed-files.js';

const TEXT = 'let key = "under the mat";\n'.repeat(50);

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'latchkey-compressed-'));
  mkdirSync(path.join(folder, 'assets'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, content: string) => writeFileSync(path.join(folder, name), content);
const read = (name: string) => readFileSync(path.join(folder, name));

test('files of text in any folder get a Brotli and a gzip copy, and stay unchanged', async () => {
  write('assets/page.js', TEXT);
  write('site.webmanifest', TEXT);
  await compressFiles(folder);
  for (const name of ['assets/page.js', 'site.webmanifest']) {
    expect(read(name).toString()).toBe(TEXT);
    expect(brotliDecompressSync(read(`${name}.br`)).toString()).toBe(TEXT);
    expect(gunzipSync(read(`${name}.gz`)).toString()).toBe(TEXT);
  }
});

test('pictures and files that compression would not shorten get no copies', async () => {
  write('empty.js', '');
  write('short.css', 'a{}');
  write('picture.png', TEXT);
  await compressFiles(folder);
  expect(readdirSync(folder).sort()).toEqual(['assets', 'empty.js', 'picture.png', 'short.css']);
});
