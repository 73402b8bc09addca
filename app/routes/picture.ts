import type { LoaderFunctionArgs } from '@remix-run/node';
import type { PictureSize } from '#app/account/pictures.server.ts';
import { notFound } from '#app/http/form.server.ts';
import { requireSignedIn } from '#app/visit/visit.ts';

const SIZES: Record<string, PictureSize> = { '64': 'small', '256': 'large' };
/** SHA-256 in base64url. Other values are not looked up. */
const DIGEST = /^[\w-]{43}$/;
/**
 * The URL identifies one version, which never changes. Only the user's own browser caches it, and drops
 * it at the sign-out, which sends `Clear-Site-Data: "cache"`.
 */
const IMMUTABLE = 'private, max-age=31536000, immutable';

/** Returns the user's own picture; 404 for another user's, the same as for an unknown one. */
export async function loader({ context: { app, visit }, params }: LoaderFunctionArgs) {
  const { user } = await requireSignedIn(visit);
  const { digest = '', size = '' } = params;
  const which = Object.hasOwn(SIZES, size) ? SIZES[size] : undefined;
  const picture =
    which && DIGEST.test(digest) ? await app.pictures.find(user.id, digest, which) : null;
  if (!picture) throw notFound();
  return new Response(picture, {
    headers: {
      'Content-Type': 'image/webp',
      'Content-Length': String(picture.byteLength),
      'Cache-Control': IMMUTABLE,
    },
  });
}
