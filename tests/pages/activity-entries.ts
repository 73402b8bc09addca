import type { TestApplication } from '../fixtures/application.ts';
import { attributeOf, tags, textOf } from './form-on-page.ts';

/** An entry of the activity log, as the page shows it. */
export interface EntryOnPage {
  /** The headline of the entry, for example "Signed in". */
  what: string;
  /** The whole text of the entry. */
  text: string;
  isSetApart: boolean;
  /** The path of its "This wasn't me" link. `null` if it has none. */
  notMePath: string | null;
}

/** Returns the entries of the activity page, from top to bottom. */
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

/** A row of the table `Activity`. */
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

/** Returns the rows of the user's activity log, newest first. */
export function entriesOf(application: TestApplication, email: string): EntryRow[] {
  return application.sql<EntryRow>(
    `SELECT a.* FROM "Activity" a JOIN User u ON u.id = a.userId WHERE u.email = ?
     ORDER BY a.at DESC, a.id DESC`,
    email,
  );
}
