/** A QR code as a drawing: what is dark, on a square of this many modules without its quiet zone. */
export interface QrDrawing {
  modules: number;
  /** Data of an SVG path, one unit a module. */
  path: string;
}

/** Draws a text as a QR code. Each run of dark modules in a row is one rectangle. */
export async function drawQrCode(text: string): Promise<QrDrawing> {
  // Only now: few ask for one.
  const { default: QRCode } = await import('qrcode');
  const { size, data } = QRCode.create(text, { errorCorrectionLevel: 'M' }).modules;
  const rows = Array.from({ length: size }, (_, y) => {
    const row = Array.from(data.slice(y * size, (y + 1) * size), (dark) => (dark ? '#' : ' '));
    const runs = [...row.join('').matchAll(/#+/g)];
    return runs.map(({ 0: run, index }) => `M${index} ${y}h${run.length}v1h-${run.length}z`);
  });
  return { modules: size, path: rows.flat().join('') };
}
