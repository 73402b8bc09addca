/** Width of the white border that scanners need, in modules (ISO/IEC 18004 §6.3.8). */
const QUIET_MODULES = 4;

interface QrCodeProps {
  /** Modules on each side, without the quiet zone. */
  modules: number;
  /** Data of an SVG path; a module is one unit wide. */
  path: string;
  /** The text for screen readers. */
  label: string;
}

/** A QR code, black on white in a dark theme too: scanners fail on inverted codes. */
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
