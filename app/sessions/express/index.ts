export { PrismaSessionStore, type PrismaSessionStoreOptions } from './prisma-session-store.ts';
export type { PrismaWithSessions, SessionModel } from './session-model.ts';
export {
  managedSessions,
  ManagedSessionStore,
  type ManagedSettings,
  type ManagedStoreOptions,
} from './managed-session-store.ts';
export type { ExpressDevice, ManagedSessionsOptions } from './managed-sessions.ts';
export * from './store-errors.ts';
export { storedSid } from './stored-sid.ts';
