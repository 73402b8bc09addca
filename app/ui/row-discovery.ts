/** The `discover` property of a link: whether Remix asks for its route when the link is shown. */
export type RowDiscovery = 'render' | 'none';

/** The first row may lack a link that the others have: the current session cannot be signed out there. */
const DISCOVERED_ROWS = 2;

/**
 * Says whether the links of a row make Remix ask for their routes. All rows link to the same routes, so
 * the first two are enough: a list of a hundred rows would exceed the limit on paths in one request.
 *
 * @param index position of the row, from 0
 */
export const discoverInRow = (index: number): RowDiscovery =>
  index < DISCOVERED_ROWS ? 'render' : 'none';
