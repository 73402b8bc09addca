import { describe, expect, test } from 'vitest';
import { renderMail } from '#app/mail/render-mail.server.tsx';
import { everyMail, factsOf, nameOf } from './every-mail.ts';

const origin = 'https://latchkey.example';
const HOSTILE = '<script>alert(1)</script>"><img src=//evil.example/x.png> & \'';

const unescape = (html: string) =>
  html
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#x27;', "'")
    .replaceAll('&amp;', '&');
const tagsOf = (html: string) => (html.match(/<[a-z/][\w-]*/gi) ?? []).join('');
const hrefsOf = (html: string) =>
  [...html.matchAll(/href="([^"]*)"/g)].map(([, href]) => unescape(href!));

test('every kind of mail has a different subject', async () => {
  const subjects = await Promise.all(
    everyMail().map(async (content) => (await renderMail(content, { origin })).subject),
  );
  expect(new Set(subjects).size).toBe(subjects.length);
});

describe.each(everyMail().map((content) => [nameOf(content), content] as const))(
  'the mail %s',
  (_name, content) => {
    test('the plain text has the same content as the HTML, with each link on its own line', async () => {
      const { html, text } = await renderMail(content, { origin });
      const { texts, links } = factsOf(content);
      for (const content of texts) {
        expect(unescape(html)).toContain(content);
        expect(text).toContain(content);
      }
      for (const link of links) expect(text.split('\n')).toContain(link);
      expect(hrefsOf(html).sort()).toEqual([...links, origin].sort());
      if ('code' in content) expect(text.split('\n')).toContain(content.code);
      expect(text).toContain('You get this because');
      // No mark-up is left, and no word is in capitals.
      expect(text).not.toMatch(/[\u200b-\u200f\ufeff]|<\/?\w|undefined|null|\n{4}|[A-Z]{9}/);
    });

    test('neither subject nor preview contains a code or a variable text, so a locked phone shows none', async () => {
      const { subject, html } = await renderMail(content, { origin });
      expect(subject).toMatch(/^[\x20-\x7e]{10,78}$/);
      const [, preheader] = /display:none[^>]*>([^<]*)</.exec(html)!;
      expect(preheader!.length).toBeGreaterThan(10);
      for (const secret of [...factsOf(content).texts, 'Ada']) {
        expect(subject).not.toContain(secret);
        expect(preheader).not.toContain(secret);
      }
    });

    test('the HTML loads no resources and runs no scripts', async () => {
      const { html } = await renderMail(content, { origin });
      expect(html).not.toMatch(/<(img|script|iframe|link|object|form|video|svg|base)\b/i);
      expect(html).not.toMatch(/\bsrc=|srcset|background=|url\(|@import|@font-face|\son\w+=/i);
      // All URLs in it are links.
      const addresses = html.match(/https?:\/\/[^\s"<]+/g)!.map(unescape);
      const known = [...factsOf(content).links, origin, 'http://www.w3.org/TR/xhtml1/DTD/xhtml1'];
      for (const address of addresses) {
        expect(known.some((start) => address.startsWith(start))).toBe(true);
      }
    });

    test('the HTML is in English, supports dark mode, and opens its links in a new tab', async () => {
      const { html } = await renderMail(content, { origin });
      expect(html).toMatch(/<html[^>]* lang="en"/);
      expect(html).toContain('<meta name="color-scheme" content="light dark"/>');
      expect(html).toContain('@media (prefers-color-scheme: dark)');
      for (const [link] of html.matchAll(/<a [^>]*>/g)) expect(link).toContain('target="_blank"');
    });
  },
);

describe('a hostile name', () => {
  const plain = everyMail({ name: 'Ada' });
  const hostile = everyMail({ name: HOSTILE });
  test.each(plain.map((content, index) => [nameOf(content), content, hostile[index]!] as const))(
    'a hostile name is escaped in the mail %s',
    async (_name, benign, content) => {
      const mail = await renderMail(content, { origin });
      expect(tagsOf(mail.html)).toBe(tagsOf((await renderMail(benign, { origin })).html));
      expect(mail.subject).toBe((await renderMail(benign, { origin })).subject);
      if ('name' in content) expect(mail.text).toContain(HOSTILE);
    },
  );

  test('a hostile name of a passkey is escaped', async () => {
    const noticeOf = (passkey: string) =>
      renderMail(
        {
          kind: 'notice',
          name: 'Ada',
          notMeLink: null,
          device: HOSTILE,
          place: HOSTILE,
          at: '2026-11-21T12:00:00.000Z',
          event: { what: 'passkey-added', passkey },
        },
        { origin },
      );
    const [mail, benign] = await Promise.all([noticeOf(HOSTILE), noticeOf('Blue key')]);
    expect(tagsOf(mail.html)).toBe(tagsOf(benign.html));
    expect(mail.text).toContain(`Passkey: ${HOSTILE}`);
    // Without a link the mail has no text about it.
    expect(mail.text).not.toContain('This was not me');
  });
});
