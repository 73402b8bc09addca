import { redirect, type ActionFunctionArgs } from '@remix-run/node';
import * as z from 'zod';
import { badRequest, parseForm } from '#app/http/form.server.ts';
import { isDocumentRequest, localPath } from '#app/http/return-path.server.ts';
import { themeSchema, writeTheme } from '#app/http/theme.server.ts';

const formSchema = z.object({ theme: themeSchema, redirectTo: z.string().optional() });

/** This URL has no page. */
export function loader() {
  return redirect('/');
}

export async function action({ request, context: { app, visit } }: ActionFunctionArgs) {
  const form = await parseForm(request, formSchema);
  if (!form.ok) throw badRequest();
  writeTheme(visit, form.value.theme, app.origin);
  return isDocumentRequest(request) ? redirect(localPath(form.value.redirectTo) ?? '/') : null;
}
