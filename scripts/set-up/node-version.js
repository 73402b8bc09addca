// The versions that this file refuses must be able to run it: no syntax or import newer than Node 16.

/**
 * The oldest supported minor release of each major version below 24. Older releases of 22 and 23 crash
 * when they load SQLite: decision 018.
 *
 * @type {Record<number, number | undefined>}
 */
const OLDEST_MINOR = { 20: 19, 22: 14, 23: 6 };
const EVERY_RELEASE_FROM = 24;

/**
 * Returns one sentence on why this version of Node cannot run Latchkey; null if it can.
 *
 * @param {string} version such as "20.19.1"
 * @returns {string | null}
 */
export function explainUnsupportedNode(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const oldest = OLDEST_MINOR[major];
  const isSupported = oldest === undefined ? major >= EVERY_RELEASE_FROM : minor >= oldest;
  if (isSupported) return null;
  return `Latchkey needs Node 20.19 or newer, 22.14 or newer, or 24 or newer; this is Node ${version}, which would crash: install a supported version from https://nodejs.org and try again.`;
}

/** Prints why and ends the process if this Node cannot run Latchkey. */
export function requireSupportedNode() {
  const explanation = explainUnsupportedNode(process.versions.node);
  if (explanation === null) return;
  console.error(explanation);
  process.exit(1);
}
