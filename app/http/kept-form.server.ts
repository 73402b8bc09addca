import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import type { PageContext } from '#app/context.server.ts';
import type { SealedCookieFactory } from './sealed-cookie.server.ts';

const MAX_AGE_SECONDS = 600;
/** A cookie holds 4,096 bytes, and sealing makes a third more of them. */
const MAX_BODY_BYTES = 2600;
const FORM_TYPE = 'application/x-www-form-urlencoded';
/** The field by which a form says that it stands for the kept one. */
export const KEPT_FORM_FIELD = 'keptForm';

const keptFormSchema = z.object({
  id: z.string(),
  /** Whose it is: another session does not take it up. */
  sessionId: z.string(),
  /** Where it was sent. */
  path: z.string(),
  body: z.string(),
});

/** A form that was sent when a fresh proof was due. It is carried out once that is given. */
export type KeptForm = z.infer<typeof keptFormSchema>;

export const keptFormCookie = (sealedCookie: SealedCookieFactory) =>
  sealedCookie<KeptForm>({
    name: 'kept-form',
    schema: keptFormSchema,
    maxAgeSeconds: MAX_AGE_SECONDS,
  });

/** A `Set-Cookie` value that keeps the form of this request; null when it is too large to keep. */
export async function saveForm(
  context: PageContext,
  request: Request,
  sessionId: string,
): Promise<string | null> {
  if (request.bodyUsed || !isForm(request)) return null;
  const body = await request.clone().text();
  if (Buffer.byteLength(body) > MAX_BODY_BYTES) return null;
  const id = randomBytes(12).toString('base64url');
  const { pathname, search } = new URL(request.url);
  const kept = { id, sessionId, path: pathname + search, body };
  return context.cookies.keptForm.write(kept, context.now);
}

/** The form that waits for this session's fresh proof; null when none does. */
export function findSavedForm(
  context: PageContext,
  request: Request,
  sessionId: string,
): KeptForm | null {
  const kept = context.cookies.keptForm.read(request.headers.get('cookie'), context.now);
  return kept?.sessionId === sessionId ? kept : null;
}

/**
 * The request itself; or, when its form says that it stands for the kept one, and that one was
 * meant for this very address, a request with what was typed there. `requireFresh` still has the
 * last word.
 */
export async function restoreSavedForm(context: PageContext, request: Request): Promise<Request> {
  const header = request.headers.get('cookie');
  if (request.method !== 'POST' || !header?.includes('kept-form=') || !isForm(request)) {
    return request;
  }
  const held = await context.session();
  if (held.state !== 'live') return request;
  const kept = findSavedForm(context, request, held.session.id);
  const { pathname, search } = new URL(request.url);
  if (!kept || kept.path !== pathname + search) return request;
  const asked = new URLSearchParams(await request.clone().text()).get(KEPT_FORM_FIELD);
  if (asked !== kept.id) return request;
  const headers = new Headers(request.headers);
  headers.delete('content-length');
  return new Request(request.url, { method: 'POST', headers, body: kept.body });
}

function isForm(request: Request): boolean {
  return request.headers.get('content-type')?.startsWith(FORM_TYPE) ?? false;
}
