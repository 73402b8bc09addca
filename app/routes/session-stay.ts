import { redirect, type ActionFunctionArgs } from '@remix-run/node';
import { isDocumentRequest } from '#app/http/document-request.server.ts';
import { requireSignedIn } from '#app/http/signed-in.server.ts';
import { pagePath, safeReturnPath } from '#app/http/return-path.server.ts';
import { expiryOf, lifetimeEndOf } from '#app/sessions/index.ts';

/** There is no page here. */
export async function loader() {
  return redirect('/');
}

/** Somebody says that they are there, which is activity as any other request is. */
export async function action(args: ActionFunctionArgs) {
  const { context, request } = args;
  const { session } = await requireSignedIn(args);
  if (isDocumentRequest(request))
    return redirect(safeReturnPath(pagePath(request, context.origin)));
  const { timeouts } = context.sessions;
  const expiresAt = expiryOf(session, timeouts);
  return Response.json({
    leftMs: expiresAt.getTime() - context.now.getTime(),
    canStay: expiresAt < lifetimeEndOf(session, timeouts),
  });
}
