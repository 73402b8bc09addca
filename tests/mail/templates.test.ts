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

test('every kind of mail has a subject of its own', async () => {
  const subjects = await Promise.all(
    everyMail().map(async (content) => (await renderMail(content, { origin })).subject),
  );
  expect(new Set(subjects).size).toBe(subjects.length);
});

describe.each(everyMail().map((content) => [nameOf(content), content] as const))(
  'the mail %s',
  (_name, content) => {
    test('says in plain text all that it says in HTML, with every link on a line of its own', async () => {
      const { html, text } = await renderMail(content, { origin });
      const { texts, links } = factsOf(content);
      for (const said of texts) {
        expect(unescape(html)).toContain(said);
        expect(text).toContain(said);
      }
      for (const link of links) expect(text.split('\n')).toContain(link);
      expect(hrefsOf(html).sort()).toEqual([...links, origin].sort());
      if ('code' in content) expect(text.split('\n')).toContain(content.code);
      expect(text).toContain('You get this because');
      // Nothing of the mark-up, and nobody shouts.
      expect(text).not.toMatch(/[\u200b-\u200f\ufeff]|<\/?\w|undefined|null|\n{4}|[A-Z]{9}/);
    });

    test('shows a locked phone no code: neither in the subject nor in what follows it', async () => {
      const { subject, html } = await renderMail(content, { origin });
      expect(subject).toMatch(/^[\x20-\x7e]{10,78}$/);
      const [, preheader] = /display:none[^>]*>([^<]*)</.exec(html)!;
      expect(preheader!.length).toBeGreaterThan(10);
      for (const said of [...factsOf(content).texts, 'Ada']) {
        expect(subject).not.toContain(said);
        expect(preheader).not.toContain(said);
      }
    });

    test('loads nothing from anywhere, and runs nothing', async () => {
      const { html } = await renderMail(content, { origin });
      expect(html).not.toMatch(/<(img|script|iframe|link|object|form|video|svg|base)\b/i);
      expect(html).not.toMatch(/\bsrc=|srcset|background=|url\(|@import|@font-face|\son\w+=/i);
      // What stands in it by address is what it is a link to.
      const addresses = html.match(/https?:\/\/[^\s"<]+/g)!.map(unescape);
      const known = [...factsOf(content).links, origin, 'http://www.w3.org/TR/xhtml1/DTD/xhtml1'];
      for (const address of addresses) {
        expect(known.some((one) => address.startsWith(one))).toBe(true);
      }
    });

    test('is in English, follows the colour scheme, and opens its links without a trace', async () => {
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
    'is text in the mail %s',
    async (_name, benign, content) => {
      const mail = await renderMail(content, { origin });
      expect(tagsOf(mail.html)).toBe(tagsOf((await renderMail(benign, { origin })).html));
      expect(mail.subject).toBe((await renderMail(benign, { origin })).subject);
      if ('name' in content) expect(mail.text).toContain(HOSTILE);
    },
  );

  test('of a passkey is text as well', async () => {
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
    // Without a link nobody is asked to follow one.
    expect(mail.text).not.toContain('This was not me');
  });
});
