import { createHash } from 'node:crypto';
import type { Metadata, Sharp, SharpOptions } from 'sharp';

/** Square, in pixels, by the name of the column. */
export const PICTURE_PIXELS = { small: 64, large: 256 } as const;

/** More than telephones take as a rule; decoding so many takes up to 360 MB of memory at its worst. */
const MAX_PIXELS = 50_000_000;
/** Of AVIF, which takes six times as much for each. */
const MAX_AVIF_PIXELS = 16_000_000;
const MAX_SECONDS = 10;
const WEBP_QUALITY = 82;
/** JPEG, PNG, WebP, GIF, AVIF. What reads all the rest (SVG, TIFF, …) is never run. */
const LOADERS = ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Heif'].map((name) => `VipsForeignLoad${name}`);
/** "ftyp" and one of these begin a file of Apple's cameras: a patented format, for which no decoder is there. */
const HEIC_BRAND = /^ftyp(hei[cmsx]|hev[cmsx]|mif1|msf1)/;

/** A picture as it is kept: made anew of what can be seen, and nothing else of the file it came in. */
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
 * Makes a picture of any size, in any of the formats that browsers show, one of ours: the middle of
 * it, upright, of an animation the first moment. What it is is told by its content alone; place,
 * device and whatever else stood in the file beside the picture stay behind.
 *
 * It is the work of one picture at a time: see `createPictures`.
 */
export async function encodePicture(file: Uint8Array): Promise<Encoding> {
  const open = await loadSharp();
  const known = await readMetadata(open, file);
  if (!known.ok) return known;
  const { format, compression, width, height } = known.metadata;
  if (format === 'heif' && compression !== 'av1') return { ok: false, why: 'heic' };
  if (format === 'heif' && width * height > MAX_AVIF_PIXELS) {
    return { ok: false, why: 'too-many-pixels' };
  }
  try {
    // Decoded once; the small one is made of the large one.
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
type Known = { ok: true; metadata: Metadata } | Extract<Encoding, { ok: false }>;

/** Not before there is a picture: it takes a tenth of a second, which no start should wait for. */
async function loadSharp(): Promise<Open> {
  const { default: sharp } = await import('sharp');
  sharp.cache(false);
  // Of two cores one stays with the pages.
  sharp.concurrency(1);
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: LOADERS });
  return (file, options) =>
    // A file that is cut off is refused; one with a slip that every viewer forgives is not.
    sharp(file, { limitInputPixels: MAX_PIXELS, failOn: 'error', ...options });
}

async function readMetadata(open: Open, file: Uint8Array): Promise<Known> {
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
