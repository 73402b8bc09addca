import type { Places } from '#app/network/places.server.ts';
import { describeDevice } from '#app/sessions/device.ts';
import type { Session, Sessions } from '#app/sessions/index.ts';
import type { TokenSessions } from '#app/tokens/access-tokens.server.ts';
import type { SessionMeta } from '#app/visit/proof.ts';
import type { User } from '#app/visit/user.ts';
import { parseEvent } from '#app/activity/activity-event.ts';
import { describeEvent } from '#app/activity/activity-view.server.ts';
import {
  text,
  optionalText,
  optionalTime,
  type Exported,
  type ModelName,
} from '../data-map/field-classes.ts';

import { endTexts } from '#app/devices/end-reasons.ts';
import { textIn, type Row } from './stored-rows.ts';

/** What is needed to describe a row in words. */
export interface RowContext {
  places: Pick<Places, 'describe'>;
  sessions: Pick<Sessions<SessionMeta, User>, 'endingOf'>;
  tokenSessions: Pick<TokenSessions, 'endingOf'>;
  now: Date;
  /** A cache of the descriptions of user agents and addresses. */
  known: Map<string, string>;
}

interface Told {
  fields: Record<string, Exported>;
  of: (row: Row, telling: RowContext) => Row;
}

const device = text('Device', 'Browser and system, as far as the browser said.');
const place = text('Place', 'Where that was, as far as the IP address tells.');

/** Fields that are added to a stored row: the same descriptions as on the pages. */
const told: Partial<Record<ModelName, Told>> = {
  Session: {
    fields: {
      device,
      place,
      endedAt: optionalTime('Over since', 'When the session was over, also when it ran out.'),
      endedHow: optionalText('How it ended', 'In words; none while it lasts.'),
    },
    of(row, telling) {
      const { sessions, tokenSessions, now } = telling;
      // Sessions and tokens have different timeouts.
      const engine = row.kind === 'token' ? tokenSessions : sessions;
      const ending = engine.endingOf(sessionOf(row), now);
      return {
        device: describeRowDevice(row, telling),
        place: placeOf(row, telling),
        endedAt: ending && ending.at.toISOString(),
        endedHow: ending && endTexts(ending.reason).inList,
      };
    },
  },
  Activity: {
    fields: {
      what: text('What happened', 'In words.'),
      more: optionalText('More', 'What else there is to say.'),
      device,
      place,
    },
    of(row, telling) {
      const { text: what, more } = describeEvent(parseEvent(textIn(row.kind), row.detail));
      return { what, more, device: describeRowDevice(row, telling), place: placeOf(row, telling) };
    },
  },
};

/** The fields that {@link describeRow} adds to rows of this model. */
export function describedFields(model: ModelName): [name: string, field: Exported][] {
  return Object.entries(told[model]?.fields ?? {});
}

/**
 * Adds the described fields to a row, in place. A spread would give each row an object shape of its own,
 * which V8 collects late: 230 MB more at 200,000 rows.
 */
export function describeRow(model: ModelName, row: Row, telling: RowContext): Row {
  return Object.assign(row, told[model]?.of(row, telling));
}

/** The size of the cache. A user has many rows, but few browsers and addresses, which are slow to parse. */
const KNOWN_AT_MOST = 500;

function known(said: string, { known: texts }: RowContext, find: () => string): string {
  const text = texts.get(said) ?? find();
  if (texts.size < KNOWN_AT_MOST) texts.set(said, text);
  return text;
}

function describeRowDevice({ userAgent }: Row, telling: RowContext): string {
  const said = textIn(userAgent);
  return known(`by ${said}`, telling, () => describeDevice(said).detail);
}

function placeOf({ ipAddress, country }: Row, telling: RowContext): string {
  const address = textIn(ipAddress);
  const code = country as string | null;
  return known(`at ${address} ${code}`, telling, () => telling.places.describe(address, code));
}

const TIMES = ['createdAt', 'lastSeenAt', 'expiresAt', 'reauthenticatedAt', 'revokedAt'];

function sessionOf(row: Row): Session<never> {
  const times = TIMES.map((name) => [name, row[name] && new Date(textIn(row[name]))]);
  return { ...row, ...Object.fromEntries(times) } as Session<never>;
}
