import type { LoaderFunctionArgs } from '@remix-run/node';
import type { PictureSize } from '#app/account/pictures.server.ts';
import { requireSignedIn } from '#app/http/signed-in.server.ts';

const SIZES: Record<string, PictureSize> = { '64': 'small', '256': 'large' };
/** SHA-256 in base64url: nothing else is worth a question to the database. */
const DIGEST = /^[\w-]{43}$/;
/**
 * The address names one version, which never changes. Only the person's own browser keeps it, and
 * forgets it at the sign-out, which sends `Clear-Site-Data: "cache"`.
 */
const IMMUTABLE = 'private, max-age=31536000, immutable';

/** The picture of whoever asks: 404 for anybody else's, the same as for one that never was. */
export async function loader(args: LoaderFunctionArgs) {
  const { context, params } = args;
  const { user } = await requireSignedIn(args);
  const { digest = '', size = '' } = params;
  const which = Object.hasOwn(SIZES, size) ? SIZES[size] : undefined;
  const picture =
    which && DIGEST.test(digest) ? await context.pictures.find(user.id, digest, which) : null;
  if (!picture) throw new Response(null, { status: 404, statusText: 'Not Found' });
  return new Response(picture, {
    headers: {
      'Content-Type': 'image/webp',
      'Content-Length': String(picture.byteLength),
      'Cache-Control': IMMUTABLE,
    },
  });
}
