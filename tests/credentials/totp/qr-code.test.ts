import QRCode from 'qrcode';
import { expect, test } from 'vitest';
import { drawQrCode } from '#app/credentials/totp/qr-code.server.ts';

test('the path draws exactly the dark modules of the QR code', async () => {
  const uri = 'otpauth://totp/Latchkey:ada%40example.com?secret=ABCDEFGH&issuer=Latchkey';
  const { modules, path } = await drawQrCode(uri);
  const drawn = Array.from({ length: modules * modules }, () => 0);
  for (const [, x, y, length] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\3z/g)) {
    drawn.fill(
      1,
      Number(y) * modules + Number(x),
      Number(y) * modules + Number(x) + Number(length),
    );
  }
  const { data, size } = QRCode.create(uri, { errorCorrectionLevel: 'M' }).modules;
  expect(modules).toBe(size);
  expect(drawn).toEqual([...data]);
  expect(path.replaceAll(/M\d+ \d+h\d+v1h-\d+z/g, '')).toBe('');
});
