import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import type { Visit } from '#app/visit/visit.ts';
import type { SealedCookieFactory } from './sealed-cookie.server.ts';

const MAX_AGE_SECONDS = 600;
/** A cookie holds 4,096 bytes, and sealing adds a third. */
const MAX_BODY_BYTES = 2600;
const FORM_TYPE = 'application/x-www-form-urlencoded';
/** The field by which a form refers to the saved one. */
export const SAVED_FORM_FIELD = 'keptForm';

const savedFormSchema = z.object({
  id: z.string(),
  /** The session that sent it; no other session restores it. */
  sessionId: z.string(),
  /** Where it was sent. */
  path: z.string(),
  body: z.string(),
});

/** A form that was sent without the fresh proof that it requires. It runs after the user gives one. */
type SavedForm = z.infer<typeof savedFormSchema>;

export type SavedForms = ReturnType<typeof createSavedForms>;

/** Keeps one form per browser, sealed in a cookie. */
export function createSavedForms(sealedCookie: SealedCookieFactory) {
  const cookie = sealedCookie<SavedForm>({
    name: 'kept-form',
    schema: savedFormSchema,
    maxAgeSeconds: MAX_AGE_SECONDS,
  });

  /** Returns the form that waits for this session's fresh proof; `null` if none does. */
  const find = (visit: Visit, sessionId: string): SavedForm | null => {
    const saved = cookie.read(visit);
    return saved?.sessionId === sessionId ? saved : null;
  };

  return {
    find,

    /** Saves the form of this request. A form that is too large is not saved, and an earlier one goes. */
    async save(visit: Visit, request: Request, sessionId: string): Promise<void> {
      const body = request.bodyUsed || !isForm(request) ? null : await request.clone().text();
      if (body === null || Buffer.byteLength(body) > MAX_BODY_BYTES) return cookie.remove(visit);
      const id = randomBytes(12).toString('base64url');
      const { pathname, search } = new URL(request.url);
      cookie.write(visit, { id, sessionId, path: pathname + search, body });
    },

    /** Removes a saved form: the user does something else now. */
    remove: (visit: Visit) => cookie.remove(visit),

    /**
     * Returns the request itself; or, if its form refers to the saved one and was sent to the same
     * address, a request with what was typed there. The check for a fresh proof comes after this.
     */
    async restore(visit: Visit, request: Request): Promise<Request> {
      const { cookieHeader } = visit;
      if (request.method !== 'POST' || !cookieHeader?.includes('kept-form=') || !isForm(request)) {
        return request;
      }
      const held = await visit.session();
      if (held.state !== 'live') return request;
      const saved = find(visit, held.session.id);
      const { pathname, search } = new URL(request.url);
      if (!saved || saved.path !== pathname + search) return request;
      const asked = new URLSearchParams(await request.clone().text()).get(SAVED_FORM_FIELD);
      if (asked !== saved.id) return request;
      const headers = new Headers(request.headers);
      headers.delete('content-length');
      return new Request(request.url, { method: 'POST', headers, body: saved.body });
    },
  };
}

function isForm(request: Request): boolean {
  return request.headers.get('content-type')?.startsWith(FORM_TYPE) ?? false;
}
