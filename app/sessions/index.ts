export * from './session.ts';
export * from './session-store.ts';
export * from './sessions.ts';
export { createToken, formatToken, hashSecret, parseToken } from './token.ts';
export * from './session-feed.ts';
