import { DAY_MS } from '#app/sessions/index.ts';
import { retention } from '../retention.ts';
import type { Periods } from './field-classes.ts';

/** The periods if the environment does not set them; a test compares them with `env.server.ts`. */
export const defaultPeriods: Periods = {
  sessionRetentionDays: retention.endedSessionMs / DAY_MS,
  activityRetentionDays: retention.activityMs / DAY_MS,
};
