/** The `discover` property of a link: whether Remix fetches its route when the link is rendered. */
export type RowDiscovery = 'render' | 'none';

/** Two, because the first row may lack a link: the current session has no "sign out" there. */
const DISCOVERED_ROWS = 2;

/**
 * Returns whether Remix fetches the routes of a row's links. All rows link to the same routes, so the
 * first two rows are enough: a hundred rows would exceed the limit on paths in one request.
 *
 * @param index position of the row, from 0
 */
export const discoverInRow = (index: number): RowDiscovery =>
  index < DISCOVERED_ROWS ? 'render' : 'none';
