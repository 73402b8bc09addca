import { redirect, type ActionFunctionArgs } from '@remix-run/node';
import * as z from 'zod';
import {
  openDataDownload,
  type DownloadFormat,
} from '#app/privacy/download/data-download.server.ts';
import { markSchema, writeDownloadMark } from './download-cookie.server.ts';
import { sendFile } from '#app/http/file-stream.server.ts';
import { parseForm } from '#app/http/form.server.ts';
import { requireSignedIn } from '#app/http/signed-in.server.ts';
import { recordActivity } from '#app/activity/record-activity.server.ts';
import { writeToast } from '#app/http/toast.server.ts';

const formats = new Map<string | undefined, DownloadFormat>([
  [undefined, 'zip'],
  ['json', 'json'],
]);
const formSchema = z.object({ mark: markSchema.optional() });

/** Following a link downloads nothing; the page with the form does. */
export async function loader() {
  return redirect('/settings/data');
}

/** The download itself: only right after the person has proven again who they are. */
export async function action(args: ActionFunctionArgs) {
  const { context, params, request } = args;
  const { user } = await requireSignedIn(args);
  const format = formats.get(params.format);
  if (!format) return new Response(null, { status: 404, statusText: 'Not Found' });
  const form = await parseForm(request, formSchema);
  const note = () => recordActivity(context, user.id, { kind: 'download-made' });
  const download = await openDataDownload(context, user.id, format, note);
  if (!download) {
    const busy = writeToast({ kind: 'download-under-way' }, context.origin);
    return redirect('/settings/data', { headers: { 'Set-Cookie': busy } });
  }
  const answer = sendFile(context, download);
  const mark = form.ok ? form.value.mark : undefined;
  if (mark) answer.headers.append('Set-Cookie', writeDownloadMark(mark, context.origin));
  return answer;
}
