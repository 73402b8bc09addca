import { redirect, type ActionFunctionArgs } from '@remix-run/node';
import { requireSignedIn } from '#app/visit/visit.ts';
import { isDocumentRequest, pagePath, safeReturnPath } from '#app/http/return-path.server.ts';
import { expiryOf, lifetimeEndOf } from '#app/sessions/index.ts';

/** This URL has no page. */
export async function loader() {
  return redirect('/');
}

/** Extends the session, because this request counts as activity. Returns how long the session lasts. */
export async function action({ context: { app, visit }, request }: ActionFunctionArgs) {
  const { session } = await requireSignedIn(visit);
  if (isDocumentRequest(request)) return redirect(safeReturnPath(pagePath(request, app.origin)));
  const { timeouts } = app.sessions;
  const expiresAt = expiryOf(session, timeouts);
  return Response.json({
    leftMs: expiresAt.getTime() - visit.now.getTime(),
    canStay: expiresAt < lifetimeEndOf(session, timeouts),
  });
}
