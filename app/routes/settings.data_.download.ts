import { Readable } from 'node:stream';
import {
  createReadableStreamFromReadable,
  redirect,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
} from '@remix-run/node';
import { dataDownload } from '#app/account/data-download.server.ts';
import { requireFresh } from '#app/http/fresh.server.ts';
import { requireSession } from '#app/http/guards.server.ts';
import { noteActivity } from '#app/http/note-activity.server.ts';

/** Following a link downloads nothing; the page with the form does. */
export async function loader(args: LoaderFunctionArgs) {
  await requireSession(args);
  return redirect('/settings/data');
}

/** The download itself: only right after the person has proven again who they are. */
export async function action(args: ActionFunctionArgs) {
  const { context } = args;
  const { person } = await requireFresh(args);
  await noteActivity(context, person.id, { kind: 'download-made' });
  const pieces = Readable.from(await dataDownload(context.db, person.id, context.now));
  const day = context.now.toISOString().slice(0, 10);
  return new Response(createReadableStreamFromReadable(pieces), {
    headers: {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Disposition': `attachment; filename="latchkey-data-${day}.json"`,
      'Cache-Control': 'no-store',
    },
  });
}
