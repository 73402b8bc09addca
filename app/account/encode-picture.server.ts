import { createHash } from 'node:crypto';
import type { Metadata, Sharp, SharpOptions } from 'sharp';

/** Width and height in pixels, by the name of the column. */
const PICTURE_PIXELS = { small: 64, large: 256 } as const;

/** More than most phone cameras have. Decoding so many takes up to 360 MB of memory. */
const MAX_PIXELS = 50_000_000;
/** For AVIF, which takes six times as much memory per pixel. */
const MAX_AVIF_PIXELS = 16_000_000;
const MAX_SECONDS = 10;
const WEBP_QUALITY = 82;
/** JPEG, PNG, WebP, GIF, AVIF. The loaders of all other formats (SVG, TIFF, …) are blocked. */
const LOADERS = ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Heif'].map((name) => `VipsForeignLoad${name}`);
/** The start of a HEIC file, as Apple's cameras write: a patented format, for which we have no decoder. */
const HEIC_BRAND = /^ftyp(hei[cmsx]|hev[cmsx]|mif1|msf1)/;

/** A picture as it is stored: encoded from the visible pixels only, without the metadata of the file. */
export interface EncodedPicture {
  small: Uint8Array<ArrayBuffer>;
  large: Uint8Array<ArrayBuffer>;
  /** SHA-256 of `large`, base64url. */
  digest: string;
}

export type Encoding =
  | { ok: true; picture: EncodedPicture }
  | { ok: false; why: 'no-picture' | 'heic' | 'damaged' | 'too-many-pixels' };

/**
 * Converts a picture of any size, in any format that browsers show: its centre square, upright, and only
 * the first frame of an animation. The format is detected from the content alone. All metadata, such as
 * place and device, is dropped.
 *
 * Run one at a time: see `createPictures`.
 */
export async function encodePicture(file: Uint8Array): Promise<Encoding> {
  const open = await loadSharp();
  const result = await readMetadata(open, file);
  if (!result.ok) return result;
  const { format, compression, width, height } = result.metadata;
  if (format === 'heif' && compression !== 'av1') return { ok: false, why: 'heic' };
  if (format === 'heif' && width * height > MAX_AVIF_PIXELS) {
    return { ok: false, why: 'too-many-pixels' };
  }
  try {
    // Decoded once; the small picture is made from the large one.
    const { data, info } = await open(file)
      .autoOrient()
      .resize(PICTURE_PIXELS.large, PICTURE_PIXELS.large, { fit: 'cover' })
      .timeout({ seconds: MAX_SECONDS })
      .raw()
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    const square = () => open(data, { raw: { width, height, channels } });
    const large = await webp(square());
    const small = await webp(square().resize(PICTURE_PIXELS.small));
    const digest = createHash('sha256').update(large).digest('base64url');
    return { ok: true, picture: { small, large, digest } };
  } catch (error) {
    const isLong = error instanceof Error && error.message.includes('timeout');
    return { ok: false, why: isLong ? 'too-many-pixels' : 'damaged' };
  }
}

type Open = (file: Uint8Array, options?: SharpOptions) => Sharp;
type MetadataResult = { ok: true; metadata: Metadata } | Extract<Encoding, { ok: false }>;

/** Loads the library on first use: that takes a tenth of a second, which would slow down the start. */
async function loadSharp(): Promise<Open> {
  const { default: sharp } = await import('sharp');
  sharp.cache(false);
  // One thread: on a server with two cores, one stays free for requests.
  sharp.concurrency(1);
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: LOADERS });
  return (file, options) =>
    // 'error' refuses a truncated file, but accepts small defects that every viewer accepts.
    sharp(file, { limitInputPixels: MAX_PIXELS, failOn: 'error', ...options });
}

async function readMetadata(open: Open, file: Uint8Array): Promise<MetadataResult> {
  try {
    return { ok: true, metadata: await open(file).metadata() };
  } catch (error) {
    if (error instanceof Error && error.message.includes('pixel limit')) {
      return { ok: false, why: 'too-many-pixels' };
    }
    const isHeic = HEIC_BRAND.test(Buffer.from(file.subarray(4, 12)).toString('latin1'));
    return { ok: false, why: isHeic ? 'heic' : 'no-picture' };
  }
}

async function webp(image: Sharp): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await image.webp({ quality: WEBP_QUALITY }).toBuffer());
}
