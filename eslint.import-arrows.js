/**
 * Who may import whom under app/. Inside a room imports are relative; across rooms they begin with
 * `#app/`. A rule is a pattern of what may NOT be imported, and the remedy.
 *
 * @typedef {{ regex: string, message: string, allowTypeImports?: boolean }} Arrow
 */

const DATABASE_CLIENTS = {
  regex: '^(@prisma/|(pg|better-sqlite3|redis|ioredis)$)|/prisma/(sqlite|postgresql)/',
  message:
    'Only app/database/database.server.ts, its parts and app/sessions/stores touch a database client.',
};
const EXPRESS_SESSION = {
  regex: '^express-session$',
  message: 'Only app/sessions/express knows express-session.',
};
const ANOTHER_ROUTE = {
  regex: '^#app/routes/',
  message: 'Nothing imports a route; move what both need to the room that it belongs to.',
};
const INTO_A_ROOM = {
  regex: '^\\./[^/]+/',
  message: 'Across rooms, import by #app/room/file.ts.',
};
/** No HTTP, no React, no Remix: sessions works in any program. */
const WEB = {
  regex: '^(@remix-run/|react(-dom)?(/|$)|express$)',
  message: 'app/sessions knows no HTTP, React or Remix.',
};

/**
 * All of the application but what `allowed` matches.
 *
 * @param {string} room
 * @param {string} allowed
 */
const onlyFromApp = (room, allowed) => ({
  regex: allowed ? `^#app/(?!${allowed})` : '^#app/',
  message: `app/${room} may not import this; inside the room, import by a relative path.`,
});

const DATA = 'sessions/|(db|database)[^/]*\\.ts$';
const ROOT_SERVER_FILES = '[^/]+\\.server\\.ts$';

/**
 * Rooms of the user's own data: sessions and the database at run time. What else they work with is
 * passed in, so that they need no more of it than its type.
 *
 * @param {string} room
 * @returns {Arrow[]}
 */
const ownData = (room) => [
  onlyFromApp(room, `(${DATA}|(account|credentials|mail)/|${ROOT_SERVER_FILES})`),
  {
    regex: `^#app/(?!${DATA})`,
    message: `app/${room} may import this as a type only: have it passed in.`,
    allowTypeImports: true,
  },
  { regex: `^#app/${room}/`, message: 'Inside a room, import by a relative path.' },
  DATABASE_CLIENTS,
  EXPRESS_SESSION,
];

/** @type {Record<string, Arrow[]>} */
const ROOMS = {
  sessions: [onlyFromApp('sessions', ''), WEB, DATABASE_CLIENTS, EXPRESS_SESSION],
  'sessions/stores': [onlyFromApp('sessions', ''), WEB, EXPRESS_SESSION],
  'sessions/express': [onlyFromApp('sessions', ''), DATABASE_CLIENTS],
  credentials: ownData('credentials'),
  account: ownData('account'),
  mail: ownData('mail'),
  http: [
    onlyFromApp('http', `(sessions/|account/|credentials/|mail/|${ROOT_SERVER_FILES})`),
    {
      // What a proof is worth is a rule without state, as those of sessions are.
      regex: '^#app/(account|credentials|mail)/(?!proof\\.ts$)',
      message: 'app/http may import this as a type only: have it passed in.',
      allowTypeImports: true,
    },
    DATABASE_CLIENTS,
    EXPRESS_SESSION,
  ],
  api: [ANOTHER_ROUTE, DATABASE_CLIENTS, EXPRESS_SESSION],
  routes: [ANOTHER_ROUTE, DATABASE_CLIENTS, EXPRESS_SESSION],
  ui: [
    onlyFromApp('ui', ''),
    { regex: '^node:', message: 'app/ui runs in browsers.' },
    DATABASE_CLIENTS,
    EXPRESS_SESSION,
  ],
};

/** Folders inside a room, at most; beyond that a room wants splitting. */
const DEEPEST = 3;

/**
 * Leaving a room by a relative path, for files `depth` folders below it.
 *
 * @param {number} depth
 */
const leaving = (depth) => ({
  regex: `^(\\.\\./){${depth + 1}}`,
  message: 'Leave a room by #app/room/file.ts, not by a relative path.',
});

/**
 * The configuration for some files. Import declarations are for ESLint's own
 * rule; `import()` and `import('...').Type` it does not see.
 *
 * @param {string[]} files
 * @param {Arrow[]} arrows
 * @returns {import('eslint').Linter.Config}
 */
const folder = (files, arrows) => ({
  files,
  rules: {
    'no-restricted-imports': ['error', { patterns: arrows }],
    'no-restricted-syntax': [
      'error',
      ...arrows.flatMap(({ regex, message, allowTypeImports = false }) => {
        // A slash would end the selector's regular expression.
        const source = `/${regex.replaceAll('/', '\\u002F')}/`;
        const asValue = { selector: `ImportExpression[source.value=${source}]`, message };
        const asType = { selector: `TSImportType[source.value=${source}]`, message };
        return allowTypeImports ? [asValue] : [asValue, asType];
      }),
    ],
  },
});

const depths = Array.from({ length: DEEPEST + 1 }, (_, depth) => depth);

const rooms = Object.entries(ROOMS)
  .filter(([room]) => room !== 'routes')
  .flatMap(([room, arrows]) =>
    depths.map((depth) => {
      const insideRoom = depth + room.split('/').length - 1;
      const below = '*/'.repeat(depth);
      return folder([`app/${room}/${below}*.{ts,tsx}`], [leaving(insideRoom), ...arrows]);
    }),
  );

/** A file in app/routes is a route; a folder there is a route with the files of its own. */
const SIBLING_ROUTE = {
  regex: '^\\.\\.?/',
  message: 'A route imports no other route; move what both need to the room it belongs to.',
};
const OUTSIDE_ROUTE_FOLDER = {
  regex: '^(\\.\\./|\\./.+/)',
  message: 'A route imports by ./file.ts what is in its own folder, and by #app/ the rest.',
};
const routes = [
  folder(['app/routes/*.{ts,tsx}'], [SIBLING_ROUTE, ...(ROOMS.routes ?? [])]),
  folder(['app/routes/*/**/*.{ts,tsx}'], [OUTSIDE_ROUTE_FOLDER, ...(ROOMS.routes ?? [])]),
];

/** app/root.tsx, app/context.server.ts and their like. */
const rootFiles = [
  folder(
    ['app/*.{ts,tsx}'],
    [leaving(0), INTO_A_ROOM, ANOTHER_ROUTE, DATABASE_CLIENTS, EXPRESS_SESSION],
  ),
  // What opens a database reaches for its clients, the generated ones among them.
  folder(
    ['app/{db,database-*,redis,migrations,*-adapter}.server.ts'],
    [INTO_A_ROOM, ANOTHER_ROUTE, EXPRESS_SESSION],
  ),
];

export default [...rootFiles, ...rooms, ...routes];
