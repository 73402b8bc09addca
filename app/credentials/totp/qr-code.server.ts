/** A QR code as a drawing of its dark modules. */
interface QrDrawing {
  /** Width and height in modules, without the quiet zone. */
  modules: number;
  /** Data of an SVG path; one unit is one module. */
  path: string;
}

/** Returns a text as a QR code. Each run of dark modules in a row is one rectangle. */
export async function drawQrCode(text: string): Promise<QrDrawing> {
  // Loaded on use: few requests need it.
  const { default: QRCode } = await import('qrcode');
  const { size, data } = QRCode.create(text, { errorCorrectionLevel: 'M' }).modules;
  const rows = Array.from({ length: size }, (_, y) => {
    const row = Array.from(data.slice(y * size, (y + 1) * size), (dark) => (dark ? '#' : ' '));
    const runs = [...row.join('').matchAll(/#+/g)];
    return runs.map(({ 0: run, index }) => `M${index} ${y}h${run.length}v1h-${run.length}z`);
  });
  return { modules: size, path: rows.flat().join('') };
}
