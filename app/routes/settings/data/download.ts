import { redirect, type ActionFunctionArgs } from '@remix-run/node';
import * as z from 'zod';
import type { DownloadFormat } from '#app/privacy/download/data-download.server.ts';
import { markSchema, writeDownloadMark } from './download-cookie.server.ts';
import { sendFile } from '#app/http/file-stream.server.ts';
import { notFound, parseForm } from '#app/http/form.server.ts';
import { requireSignedIn } from '#app/visit/visit.ts';

const formats = new Map<string | undefined, DownloadFormat>([
  [undefined, 'zip'],
  ['json', 'json'],
]);
const formSchema = z.object({ mark: markSchema.optional() });

/** Redirects a browser that follows a link here: only the page's form downloads. */
export async function loader() {
  return redirect('/settings/data');
}

export async function action({ params, request, context }: ActionFunctionArgs) {
  const { app, visit, outgoing } = context;
  const { user } = await requireSignedIn(visit);
  const format = formats.get(params.format);
  if (!format) return notFound();
  const form = await parseForm(request, formSchema);
  const record = () => app.activity.record(visit, user.id, { kind: 'download-made' });
  const download = await app.downloads.open(visit, user.id, format, record);
  if (!download) {
    app.toast.show(
      visit,
      'A download is being made already. Wait until it is done, at most ten minutes, then try again.',
    );
    return redirect('/settings/data');
  }
  const mark = form.ok ? form.value.mark : undefined;
  if (mark) writeDownloadMark(visit, mark, app.origin);
  return sendFile(visit, outgoing, download);
}
