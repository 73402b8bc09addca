import { openDataDownload } from '#app/privacy/download/data-download.server.ts';
import { dataSchema } from '#app/privacy/download/data-schema.ts';
import { sendFile } from '#app/http/file-stream.server.ts';
import { recordActivity } from '#app/activity/record-activity.server.ts';
import * as z from 'zod';
import { operation } from '../operation.server.ts';
import { problem, proofRequired } from '../problems.server.ts';

export const download = operation({
  id: 'download',
  method: 'POST',
  path: '/api/download',
  summary: 'Download everything that is kept about you',
  more: 'As JSON, made while it is sent. It is written down, and mailed to its owner, as from the page. A session needs a recent proof for it, a token has its scope.',
  allows: { tokens: 'download' },
  success: {
    status: 200,
    what: 'The file.',
    body: z.unknown().meta(dataSchema()),
  },
  problems: ['proof-required', 'download-under-way'],
  async run({ context, caller }) {
    const { by, user, session } = caller;
    if (by === 'session' && !context.sessions.isFresh(session, context.now)) {
      return proofRequired(context, context.sessions.timeouts.freshMs);
    }
    const event = { kind: 'download-made' } as const;
    const note = () => recordActivity(context, user.id, event, session.id);
    const made = await openDataDownload(context, user.id, 'json', note);
    return made ? sendFile(context, made) : problem(context, 'download-under-way');
  },
});
