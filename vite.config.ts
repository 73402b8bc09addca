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
 * Replaces Vite's helper that preloads the imports and styles of a lazily loaded module. Our lazy modules
 * import only what the page has already, and the helper would be part of every page.
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
          // Reading a property has no side effects in our code, and the globals we use exist.
          treeshake: { propertyReadSideEffects: false, unknownGlobalSideEffects: false },
        },
  },
  ssr: {
    noExternal: [
      // Bundled, so that only the used parts are loaded: loading all icons takes as long as the rest of
      // the start, and the hundred modules of zod take a quarter of a second and 15 MiB.
      'lucide-react',
      'zod',
      /^@conform-to\//,
      // Bundled, so that paint-first.ts changes it: the server must render what the browser expects.
      ...(command === 'build' ? ['@remix-run/react'] : []),
    ],
  },
  // Optimized at start, so that the first page in development does not reload.
  optimizeDeps: { include: ['lucide-react'] },
}));
