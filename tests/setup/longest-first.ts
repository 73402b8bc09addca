import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take about 30 seconds or more, longest first. */
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
 * Runs the longest files first, so that none of them runs alone at the end. Vitest knows the durations
 * itself only after an earlier run on the same machine.
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
