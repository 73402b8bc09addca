import { StoreUnavailableError } from '../session-store.ts';

/**
 * Thrown if the database failed or refused the query. The session's state is unknown. Express answers
 * with `status`. It has no `code`, because express-session might read one as "no such session".
 */
export class SessionsUnavailableError extends StoreUnavailableError {
  readonly status = 503;
}

/**
 * Thrown if the session was ended or expired after this request had read it. Nothing was saved, because
 * a write must not restore a session.
 */
export class SessionEndedError extends Error {
  override name = 'SessionEndedError';
  readonly status = 401;
  constructor() {
    super('The session has ended; its changes were not saved.');
  }
}

/** Thrown if a user signs in, or the user changes, under an existing session id (session fixation). */
export class SessionNotRenewedError extends Error {
  override name = 'SessionNotRenewedError';
  constructor() {
    super(
      'The user of a session id must not change: call req.session.regenerate() before signing in a user.',
    );
  }
}

/** Thrown if a session without a user is saved and there is no store for such sessions. */
export class NobodysSessionError extends Error {
  override name = 'NobodysSessionError';
  constructor() {
    super(
      'Cannot save a session without a user: pass managedSessions() a store as `anonymous`, or set saveUninitialized to false and save nothing in the session before sign-in.',
    );
  }
}
