import type { Part } from '../part.ts';

/** The parts, by their names on the command line, in the order of results.md. */
export const parts: Record<string, () => Promise<Part>> = {
  requests: async () => (await import('./requests.ts')).requests,
  pages: async () => (await import('./pages.ts')).pages,
  storm: async () => (await import('./storm.ts')).storm,
  start: async () => (await import('./start.ts')).start,
  memory: async () => (await import('./memory.ts')).memory,
  'front-end': async () => (await import('./front-end.ts')).frontEnd,
  growth: async () => (await import('./growth.ts')).growth,
  prune: async () => (await import('./prune.ts')).prune,
};
