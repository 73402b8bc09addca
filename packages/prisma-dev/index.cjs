'use strict';

const refuse = () => {
  throw new Error(
    'Latchkey leaves out the PostgreSQL of `prisma dev`: its packages refuse Node 20. Use SQLite, or a server of your own in DATABASE_URL.',
  );
};

// Every name that Prisma's command line asks for is a function that explains itself.
module.exports = new Proxy(
  { __esModule: true },
  {
    get: (own, name) => (name in own || typeof name === 'symbol' ? own[name] : refuse),
  },
);
