'use strict';

const refuse = () => {
  throw new Error(
    'Latchkey does not include the PostgreSQL of `prisma dev`, because its packages refuse Node 20. Use SQLite, or set DATABASE_URL to your own server.',
  );
};

// Everything that Prisma's command line imports from here is a function that throws this error.
module.exports = new Proxy(
  { __esModule: true },
  {
    get: (own, name) => (name in own || typeof name === 'symbol' ? own[name] : refuse),
  },
);
