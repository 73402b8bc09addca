import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import express from 'express';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { builtFiles } from '#app/http/built-files.server.ts';

// How the application serves built files is tested in tests/pages/built-files.test.ts. These tests change the
// files while the server runs.

let folder = '';
let server: Server;
let origin = '';

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'latchkey-build-'));
  mkdirSync(path.join(folder, 'assets'));
  writeFileSync(path.join(folder, 'assets/page-abc.js'), 'export {};');
  writeFileSync(path.join(folder, 'assets/page-abc.js.gz'), gzipSync('export {};'));
  const web = express();
  web.use(builtFiles(folder));
  web.use((_request, response) => void response.status(404).send('no page'));
  server = web.listen(0);
  await new Promise((resolve) => server.once('listening', resolve));
  origin = `http://localhost:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true });
});

test('a file that was deleted after the start is served as a page that is not found', async () => {
  const address = `${origin}/assets/page-abc.js`;
  expect((await fetch(address)).status).toBe(200);
  rmSync(path.join(folder, 'assets'), { recursive: true });
  const answer = await fetch(address);
  expect(answer.status).toBe(404);
  expect(answer.headers.get('content-encoding')).toBeNull();
  expect(answer.headers.get('cache-control')).toBeNull();
  expect(answer.headers.get('content-type')).toMatch(/^text\/html/);
  expect(await answer.text()).toBe('no page');
});

test('a file that was added after the start is not served', async () => {
  writeFileSync(path.join(folder, 'late.txt'), 'late');
  expect((await fetch(`${origin}/late.txt`)).status).toBe(404);
});

test('a .gz file without an uncompressed original is served as a file of its own', async () => {
  server.close();
  writeFileSync(path.join(folder, 'archive.gz'), gzipSync('content'));
  const web = express().use(builtFiles(folder));
  server = web.listen(0);
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const answer = await fetch(`http://localhost:${port}/archive.gz`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-encoding')).toBeNull();
  expect(answer.headers.get('content-type')).toBe('application/gzip');
});
