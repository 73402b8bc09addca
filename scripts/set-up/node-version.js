// Parsed and run by the very versions that it refuses: no syntax and no import newer than Node 16.

/** The oldest release that Latchkey runs on, for each major version that has one. */
const OLDEST = { 20: [20, 19], 22: [22, 12] };

/**
 * Why this version of Node cannot run Latchkey, in one sentence; null when it can.
 *
 * @param {string} version such as "20.19.1"
 * @returns {string | null}
 */
export function explainUnsupportedNode(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const oldest = major === 20 || major === 22 ? OLDEST[major] : undefined;
  const supported = oldest ? minor >= (oldest[1] ?? 0) : major > 22;
  if (supported) return null;
  return `Latchkey needs Node 20.19 or newer, or 22.12 or newer; this is Node ${version}. Install one from https://nodejs.org and try again.`;
}

/** Ends the process with that sentence when this Node is too old. */
export function requireSupportedNode() {
  const sentence = explainUnsupportedNode(process.versions.node);
  if (sentence === null) return;
  console.error(sentence);
  process.exit(1);
}
