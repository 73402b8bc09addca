import { vitePlugin as remix } from '@remix-run/dev';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vite';
import remixConfig from './remix.config.js';

export default defineConfig({
  plugins: [tailwindcss(), !process.env.VITEST && remix(remixConfig)],
  build: {
    // Inlined assets would need `data:` in the Content-Security-Policy.
    assetsInlineLimit: 0,
    target: 'es2022',
  },
  // Found up front, so that the first page in development does not have to load twice.
  optimizeDeps: { include: ['lucide-react'] },
});
