import type { Encoding } from './encode-picture.server.ts';
import type { PageContext, User } from '#app/context.server.ts';
import type { FormReply } from '#app/http/form.server.ts';

const MB = 1024 * 1024;
const MAX_PICTURE_BYTES = 10 * MB;
/** What stands around the file in the form; far more than there is. */
const FORM_BYTES = 64 * 1024;
const FORM_TYPE = /^multipart\/form-data;/i;
const FIELD = 'picture';
const RETRY_AFTER_SECONDS = 10;

const TOO_LARGE = 'That file is larger than 10 MB. Choose a smaller one.';

/** What the page may know beforehand of the pictures that are taken. */
export const pictureRules = {
  maxBytes: MAX_PICTURE_BYTES,
  tooLarge: TOO_LARGE,
  accept: 'image/jpeg,image/png,image/webp,image/avif,image/gif',
} as const;

/**
 * The address that takes a file, also as scripts ask for it, and how long a form may be there. What is
 * longer than the largest picture is not read, but told on the page; beyond this it is cut off.
 */
export const PICTURE_PATHS = ['/settings/profile/picture', '/settings/profile/picture.data'];
export const MAX_PICTURE_FORM_BYTES = 40 * MB;

export type PictureUpload =
  | { ok: true }
  | { ok: false; reply: FormReply; status: number; headers?: Record<string, string> }
  /** The person is gone. */
  | { ok: null };

/**
 * Reads the picture that was sent and keeps it. The form is read only when its length, which is
 * announced (see `limitBody`), is that of a picture, and there is a place to read it to.
 *
 * The file's name and the type that the browser gave it are looked at by nobody.
 *
 * @throws {Response} 400 for what no form of ours sends.
 */
export async function receivePicture(
  { pictures, now }: PageContext,
  user: User,
  request: Request,
): Promise<PictureUpload> {
  const length = Number(request.headers.get('content-length') ?? 0);
  if (length > MAX_PICTURE_BYTES + FORM_BYTES) return refused(TOO_LARGE);
  const leave = pictures.reserveSlot(user.id);
  if (!leave) {
    return {
      ...refused('Other pictures are still being sent. Try again in a moment.'),
      status: 503,
      headers: { 'Retry-After': String(RETRY_AFTER_SECONDS) },
    };
  }
  try {
    const file = await readFile(request);
    if (file.size === 0) return refused('Choose a picture.');
    if (file.size > MAX_PICTURE_BYTES) return refused(TOO_LARGE);
    const encoding = await pictures.encode(new Uint8Array(await file.arrayBuffer()));
    if (!encoding.ok) return refused(WHY_NOT[encoding.why]);
    return { ok: (await pictures.save(user.id, encoding.picture, now)) || null };
  } finally {
    leave();
  }
}

const WHY_NOT: Record<Extract<Encoding, { ok: false }>['why'], string> = {
  'no-picture':
    'That file is no picture that can be shown here. Choose a JPEG, PNG, WebP, AVIF or GIF.',
  heic: 'Pictures in Apple’s HEIC format cannot be read here. Save it as JPEG, then choose that.',
  damaged: 'That picture is damaged or incomplete. Choose another one.',
  'too-many-pixels': 'That picture has too many pixels. Make it smaller, then choose it again.',
};

// Not more is read than was announced: whatever follows is another request.
async function readFile(request: Request): Promise<File> {
  if (!FORM_TYPE.test(request.headers.get('content-type') ?? '')) throw badRequest();
  const form = await request.formData().catch(() => {
    throw badRequest();
  });
  const [file, ...more] = form.getAll(FIELD);
  if (!(file instanceof File) || more.length > 0) throw badRequest();
  return file;
}

function refused(text: string) {
  const reply: FormReply = { status: 'error', initialValue: {}, error: { [FIELD]: [text] } };
  return { ok: false as const, reply, status: 400 };
}

const badRequest = () => new Response(null, { status: 400, statusText: 'Bad Request' });
