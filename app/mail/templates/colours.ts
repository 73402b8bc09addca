/** The colours of `app/tailwind.css`, in hexadecimal, which every mail program supports. */
export const LIGHT = {
  ground: '#fcfaf6',
  raised: '#fffffe',
  ink: '#221d18',
  muted: '#615b54',
  line: '#e3dfd8',
  accent: '#855915',
  onAccent: '#fffdfa',
  glow: '#fcf2de',
};

const DARK: typeof LIGHT = {
  ground: '#13110f',
  raised: '#1d1917',
  ink: '#efece7',
  muted: '#ada9a0',
  line: '#35312d',
  accent: '#e7be68',
  onAccent: '#1e1406',
  glow: '#312517',
};

/**
 * Styles for mail programs that follow the device's colour scheme; others show the light inline styles.
 * Contains no quotes or angle brackets, because React would escape them.
 */
export const DARK_STYLES = `
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
  .ground { background-color: ${DARK.ground} !important; }
  .raised { background-color: ${DARK.raised} !important; border-color: ${DARK.line} !important; }
  .ink { color: ${DARK.ink} !important; }
  .muted { color: ${DARK.muted} !important; }
  .line { border-color: ${DARK.line} !important; }
  .glow { background-color: ${DARK.glow} !important; color: ${DARK.ink} !important; }
  .action { background-color: ${DARK.accent} !important; color: ${DARK.onAccent} !important; }
  .plate { background-color: ${DARK.accent} !important; }
  .keyhole { background-color: ${DARK.raised} !important; }
  .link { color: ${DARK.accent} !important; }
}
`;
