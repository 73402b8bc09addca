import type { OpenContender } from './contender.ts';

/** The contenders, by their names on the command line and in the table. */
export const contenders: Record<string, () => Promise<OpenContender>> = {
  floor: async () => (await import('./floor.ts')).open,
  'latchkey-sqlite': async () => (await import('./latchkey.ts')).onSqlite('cookie'),
  'latchkey-sqlite-bearer': async () => (await import('./latchkey.ts')).onSqlite('bearer'),
  'latchkey-postgresql': async () => (await import('./latchkey.ts')).onPostgres('cookie'),
  'latchkey-postgresql-bearer': async () => (await import('./latchkey.ts')).onPostgres('bearer'),
  'latchkey-redis': async () => (await import('./latchkey.ts')).inRedis('cookie'),
  'latchkey-redis-bearer': async () => (await import('./latchkey.ts')).inRedis('bearer'),
  'hmac-cookie': async () => (await import('./stateless.ts')).hmac,
  jwt: async () => (await import('./stateless.ts')).jwt,
  'iron-session': async () => (await import('./stateless.ts')).ironSession,
  'connect-redis': async () => (await import('./stateful.ts')).connectRedis,
  'prisma-session-store': async () => (await import('./stateful.ts')).prismaSessionStore,
  'prisma-two-queries': async () => (await import('./stateful.ts')).twoQueries,
  'better-auth': async () => (await import('./stateful.ts')).betterAuthPlain,
  'better-auth-cookie-cache': async () => (await import('./stateful.ts')).betterAuthCached,
};
