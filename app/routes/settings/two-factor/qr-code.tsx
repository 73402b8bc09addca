/** Modules of white around it that a reader needs (ISO/IEC 18004 §6.3.8). */
const QUIET_MODULES = 4;

interface QrCodeProps {
  /** Of the square, without the quiet zone. */
  modules: number;
  /** Data of an SVG path, one unit a module. */
  path: string;
  /** What it is, for whoever does not see it. */
  label: string;
}

/** A QR code: black on white in a dark theme too, where readers would fail at the reverse. */
export function QrCode({ modules, path, label }: QrCodeProps) {
  const side = modules + 2 * QUIET_MODULES;
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`${-QUIET_MODULES} ${-QUIET_MODULES} ${side} ${side}`}
      shapeRendering="crispEdges"
      className="block w-full max-w-56 rounded-2xl border border-line"
    >
      <rect x={-QUIET_MODULES} y={-QUIET_MODULES} width={side} height={side} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
