export interface Floor {
  name: string;
  rooms: string[];
}

/** The room of the files that are directly in `app/`, such as `app/root.tsx`. */
export const OWN_FILES = 'application';

/**
 * Every room of `app/`, in order: a room may import the rooms before it, and no others. All other rooms
 * are folders. The floors are headings; docs/architecture.md says what each room is for.
 */
export const FLOORS: Floor[] = [
  { name: 'Foundations', rooms: ['sessions', 'ui', 'config'] },
  {
    name: 'Infrastructure',
    rooms: ['visit', 'operations', 'database', 'network', 'http', 'limits', 'mail', 'live'],
  },
  {
    name: 'Features',
    rooms: [
      'credentials',
      'activity',
      'devices',
      'tokens',
      'sign-in',
      'sign-up',
      'account',
      'privacy',
      'api',
    ],
  },
  { name: 'Application', rooms: [OWN_FILES, 'routes'] },
];

/** The names of all rooms, in order. */
export const ROOMS: string[] = FLOORS.flatMap(({ rooms }) => rooms);
