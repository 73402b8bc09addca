import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Of some 30 seconds and more; what else there is fills what is left. */
const LONG = [
  'browser/appearance',
  'browser/main-path',
  'faults/postgresql',
  'browser/ways-in-journey',
  'browser/live-sign-out',
  'browser/ways-in-appearance',
  'browser/activity',
  'browser/two-factor',
  'faults/redis',
  'browser/steadiness',
  'pages/rate-limits',
  'pages/erasure-killed',
  'sessions/leases/on-servers',
].map((name) => `/tests/${name}.test.ts`);

/**
 * Begins with the files that take longest, or one of them would go on alone at the end. Vitest knows
 * them by itself only where it has run before.
 */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const inGroups = await super.sort(files);
    const groupOf = (file: TestSpecification) => file.project.config.sequence.groupOrder;
    return inGroups.sort((a, b) => groupOf(a) - groupOf(b) || rankOf(a) - rankOf(b));
  }
}

function rankOf({ moduleId }: TestSpecification): number {
  const index = LONG.findIndex((name) => moduleId.endsWith(name));
  return index < 0 ? LONG.length : index;
}
