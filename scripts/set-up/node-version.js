// Parsed and run by the very versions that it refuses: no syntax and no import newer than Node 16.

/**
 * The oldest minor release of each major version below 24 that runs Latchkey. On 22 and 23 an older
 * one crashes when it loads SQLite: decision 018.
 *
 * @type {Record<number, number | undefined>}
 */
const OLDEST_MINOR = { 20: 19, 22: 14, 23: 6 };
const EVERY_RELEASE_FROM = 24;

/**
 * Returns why this version of Node cannot run Latchkey, in one sentence; null when it can.
 *
 * @param {string} version such as "20.19.1"
 * @returns {string | null}
 */
export function explainUnsupportedNode(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const oldest = OLDEST_MINOR[major];
  const isSupported = oldest === undefined ? major >= EVERY_RELEASE_FROM : minor >= oldest;
  if (isSupported) return null;
  return `Latchkey needs Node 20.19 or newer, 22.14 or newer, or 24 or newer; this is Node ${version}, which would crash: install another from https://nodejs.org and try again.`;
}

/** Ends the process with that sentence when this Node cannot run Latchkey. */
export function requireSupportedNode() {
  const sentence = explainUnsupportedNode(process.versions.node);
  if (sentence === null) return;
  console.error(sentence);
  process.exit(1);
}
