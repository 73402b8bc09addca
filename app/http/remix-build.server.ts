import type { Server } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ServerBuild } from '@remix-run/node';
import type { RequestHandler } from 'express';
import { builtFiles } from './built-files.server.ts';

interface RemixBuild {
  /** A function in development, called for each request, because the build changes. */
  build: ServerBuild | (() => Promise<ServerBuild>);
  /** Serve the built files, or Vite's in development. */
  files: RequestHandler[];
  close: () => Promise<void>;
}

/** Loads the build of the pages; in development Vite builds them on request. */
export async function loadRemixBuild(
  { isDevelopment }: { isDevelopment: boolean },
  server: Server,
): Promise<RemixBuild> {
  if (isDevelopment) {
    const { createServer } = await import('vite');
    const vite = await createServer({
      server: { middlewareMode: true, hmr: { server } },
      appType: 'custom',
    });
    return {
      build: () => vite.ssrLoadModule('virtual:remix/server-build') as Promise<ServerBuild>,
      files: [vite.middlewares as RequestHandler],
      close: () => vite.close(),
    };
  }
  const file = pathToFileURL(join(process.cwd(), 'build/server/index.js'));
  return {
    build: (await import(file.href)) as ServerBuild,
    files: [builtFiles('build/client')],
    close: () => Promise.resolve(),
  };
}
