import type { TestApplication } from '../fixtures/application.ts';
import { attributeOf, tags, textOf } from './form-on-page.ts';

/** An entry of the activity log, as a person sees it on the page. */
export interface EntryOnPage {
  /** "Signed in". */
  what: string;
  /** Everything that stands in it. */
  text: string;
  isSetApart: boolean;
  /** Where its "This wasn't me" leads; null when it has none. */
  notMePath: string | null;
}

/** The entries of the page, from the top. */
export function entriesOnPage(html: string): EntryOnPage[] {
  const main = /<main\b.*?<\/main>/s.exec(html)?.[0] ?? '';
  return (main.match(/<li\b.*?<\/li>/gs) ?? [])
    .filter((row) => row.includes('<strong') && row.includes('<time'))
    .map((row) => ({
      what: textOf(/<strong[^>]*>(.*?)<\/strong>/s.exec(row)?.[1] ?? ''),
      text: textOf(row),
      isSetApart: (attributeOf(tags(row, 'li')[0]!, 'class') ?? '').includes('danger'),
      notMePath:
        tags(row, 'a')
          .map((link) => attributeOf(link, 'href') ?? '')
          .find((path) => path.includes('/not-me')) ?? null,
    }));
}

/** A row of the log. */
export interface EntryRow {
  id: string;
  userId: string;
  kind: string;
  at: number;
  sessionId: string | null;
  userAgent: string;
  ipAddress: string;
  country: string | null;
  detail: string | null;
  deviceKey: string;
}

/** What is kept in the log of this person, newest first. */
export function entriesOf(application: TestApplication, email: string): EntryRow[] {
  return application.sql<EntryRow>(
    `SELECT a.* FROM "Activity" a JOIN User u ON u.id = a.userId WHERE u.email = ?
     ORDER BY a.at DESC, a.id DESC`,
    email,
  );
}
