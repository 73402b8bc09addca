import { data, redirect, type ActionFunctionArgs } from '@remix-run/node';
import * as z from 'zod';
import { parseForm } from '#app/http/form.server.ts';
import { isDocumentRequest } from '#app/http/document-request.server.ts';
import { localPath } from '#app/http/return-path.server.ts';
import { themeSchema, writeTheme } from '#app/http/theme.server.ts';

const formSchema = z.object({ theme: themeSchema, redirectTo: z.string().optional() });

/** There is no page here. */
export function loader() {
  return redirect('/');
}

export async function action({ request, context }: ActionFunctionArgs) {
  const form = await parseForm(request, formSchema);
  if (!form.ok) throw new Response(null, { status: 400, statusText: 'Bad Request' });
  const headers = { 'Set-Cookie': writeTheme(form.value.theme, context.origin) };
  return isDocumentRequest(request)
    ? redirect(localPath(form.value.redirectTo) ?? '/', { headers })
    : data(null, { headers });
}
