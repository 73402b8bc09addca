import { dataSchema } from '#app/privacy/download/data-schema.ts';
import { sendFile } from '#app/http/file-stream.server.ts';
import * as z from 'zod';
import { operation } from '../operation.server.ts';
import { problem, proofRequired } from '../problems.server.ts';

export const download = operation({
  id: 'download',
  method: 'POST',
  path: '/api/download',
  summary: 'Download everything that is kept about you',
  more: 'As JSON, made while it is sent. The download is recorded, and the user gets a mail about it, as from the page. A session needs a recent proof; a token needs the scope.',
  allows: { tokens: 'download' },
  success: {
    status: 200,
    what: 'The file.',
    body: z.unknown().meta(dataSchema()),
  },
  problems: ['proof-required', 'download-under-way'],
  async run({ app, visit, caller, progress }) {
    const { by, user, session } = caller;
    if (by === 'session' && !app.sessions.isFresh(session, visit.now)) {
      return proofRequired(app, app.sessions.timeouts.freshMs);
    }
    const event = { kind: 'download-made' } as const;
    const record = () => app.activity.record(visit, user.id, event, session.id);
    const file = await app.downloads.open(visit, user.id, 'json', record);
    return file ? sendFile(visit, progress(), file) : problem(app, 'download-under-way');
  },
});
