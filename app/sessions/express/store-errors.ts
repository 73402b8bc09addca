import { StoreUnavailableError } from '../session-store.ts';

/**
 * The database could not be asked, or refused: nothing is known of the session. Express answers with
 * its `status`. It carries no `code`, which express-session might take for "no such session".
 */
export class SessionsUnavailableError extends StoreUnavailableError {
  readonly status = 503;
}

/**
 * The session was ended, or ran out, after this request had read it. Nothing was saved: a write
 * brings no session back.
 */
export class SessionEndedError extends Error {
  override name = 'SessionEndedError';
  readonly status = 401;
  constructor() {
    super('The session is over; what was to be saved in it was not saved.');
  }
}

/** Somebody signs in, or becomes somebody else, under an id that was known before (session fixation). */
export class SessionNotRenewedError extends Error {
  override name = 'SessionNotRenewedError';
  constructor() {
    super(
      'Whose session it is may not change under one id: call req.session.regenerate() before signing somebody in.',
    );
  }
}

/** There is nobody whose session it could be. */
export class NobodysSessionError extends Error {
  override name = 'NobodysSessionError';
  constructor() {
    super(
      'A session of nobody was to be saved: give managedSessions() a store for those as `anonymous`, or set saveUninitialized to false and keep nothing before sign-in.',
    );
  }
}
