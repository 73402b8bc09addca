import { vitePlugin as remix } from '@remix-run/dev';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig, type Plugin } from 'vite';
import remixConfig from './remix.config.js';
import { chunkOf } from './vite/chunks.ts';
import { showUnexpected } from './vite/expected-warnings.ts';
import { licenses } from './vite/licenses.ts';
import { paintFirst } from './vite/paint-first.ts';
import { settledOptions } from './vite/settled-options.ts';

/**
 * Vite's way to preload what a lazily loaded module imports besides, and its styles. Ours import
 * what the page has already, and every page would carry its code.
 */
const barePreload: Plugin = {
  name: 'bare-preload',
  apply: 'build',
  enforce: 'pre',
  load: (id) =>
    id.endsWith('vite/preload-helper.js')
      ? 'export const __vitePreload = (load) => load();'
      : undefined,
};

export default defineConfig(({ command, isSsrBuild }) => ({
  plugins: [
    barePreload,
    settledOptions,
    paintFirst,
    licenses,
    tailwindcss(),
    !process.env.VITEST && remix(remixConfig),
  ],
  build: {
    // Inlined assets would need `data:` in the Content-Security-Policy.
    assetsInlineLimit: 0,
    target: 'es2022',
    rollupOptions: isSsrBuild
      ? { onwarn: showUnexpected }
      : {
          onwarn: showUnexpected,
          output: { manualChunks: chunkOf },
          // To read a property does nothing, and what a browser has as a global is there.
          treeshake: { propertyReadSideEffects: false, unknownGlobalSideEffects: false },
        },
  },
  ssr: {
    noExternal: [
      // Of these only what is used goes into the server's build: loading all icons takes as long as the
      // rest of the start, and the hundred modules of zod a quarter of a second and 15 MiB.
      'lucide-react',
      'zod',
      /^@conform-to\//,
      // So that servers write what browsers expect: see paint-first.ts.
      ...(command === 'build' ? ['@remix-run/react'] : []),
    ],
  },
  // Found up front, so that the first page in development does not have to load twice.
  optimizeDeps: { include: ['lucide-react'] },
}));
