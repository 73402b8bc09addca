import type { Encoding } from './encode-picture.server.ts';
import type { FormReply } from '#app/http/form.server.ts';
import type { User } from '#app/visit/user.ts';
import type { Visit } from '#app/visit/visit.ts';
import type { Pictures } from './pictures.server.ts';

const MB = 1024 * 1024;
const MAX_PICTURE_BYTES = 10 * MB;
/** The parts of the form around the file; far more than needed. */
const FORM_BYTES = 64 * 1024;
const FORM_TYPE = /^multipart\/form-data;/i;
const FIELD = 'picture';
const RETRY_AFTER_SECONDS = 10;

const TOO_LARGE = 'That file is larger than 10 MB. Choose a smaller one.';

/** What the page needs to know about accepted pictures. */
export const pictureRules = {
  maxBytes: MAX_PICTURE_BYTES,
  tooLarge: TOO_LARGE,
  accept: 'image/jpeg,image/png,image/webp,image/avif,image/gif',
} as const;

/**
 * The paths that take a file, also as scripts ask for them, and the largest form there. A form larger
 * than the largest picture is not read, and the page says so; beyond this the connection is cut.
 */
export const PICTURE_PATHS = ['/settings/profile/picture', '/settings/profile/picture.data'];
export const MAX_PICTURE_FORM_BYTES = 40 * MB;

type PictureUpload =
  | { ok: true }
  | { ok: false; reply: FormReply; status: number; headers?: Record<string, string> }
  /** The user is gone. */
  | { ok: null };

/**
 * Reads the uploaded picture and stores it. The form is read only if its announced length (see
 * `limitBody`) fits a picture and an upload slot is free.
 *
 * The file's name, and the type that the browser gave it, are ignored.
 *
 * @throws {Response} 400 for a form that is not ours.
 */
export async function receivePicture(
  pictures: Pick<Pictures, 'reserveSlot' | 'encode' | 'save'>,
  { now }: Visit,
  user: User,
  request: Request,
): Promise<PictureUpload> {
  const length = Number(request.headers.get('content-length') ?? 0);
  if (length > MAX_PICTURE_BYTES + FORM_BYTES) return refused(TOO_LARGE);
  const freeSlot = pictures.reserveSlot(user.id);
  if (!freeSlot) {
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
    freeSlot();
  }
}

const WHY_NOT: Record<Extract<Encoding, { ok: false }>['why'], string> = {
  'no-picture':
    'That file is no picture that can be shown here. Choose a JPEG, PNG, WebP, AVIF or GIF.',
  heic: 'Pictures in Apple’s HEIC format cannot be read here. Save it as JPEG, then choose that.',
  damaged: 'That picture is damaged or incomplete. Choose another one.',
  'too-many-pixels': 'That picture has too many pixels. Make it smaller, then choose it again.',
};

// No more than the announced length is read: what follows is another request.
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
