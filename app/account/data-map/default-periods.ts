import type { Periods } from './classes.ts';

/** Those of `env.server.ts`; a test compares them. */
export const defaultPeriods: Periods = { sessionRetentionDays: 30, activityRetentionDays: 180 };
