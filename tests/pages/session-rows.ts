import { attributeOf, tags, textOf } from './form-on-page.ts';

/** A session, as a person sees it on the sessions page. */
export interface SessionRow {
  name: string;
  /** Everything that stands in its row. */
  text: string;
  isCurrent: boolean;
  /** Where its "Sign out" leads; null when it has none. */
  signOutPath: string | null;
  namePath: string | null;
}

/** The live sessions of the page, from the top. */
export function sessionRows(html: string): SessionRow[] {
  const list = /<ul aria-label="Signed-in devices".*?<\/ul>/s.exec(html)?.[0] ?? '';
  return rowsOf(list);
}

/** The sessions below "Recently ended", from the top. */
export function endedRows(html: string): SessionRow[] {
  const details = /<details\b[^>]*>(?:(?!<details).)*?Recently ended.*?<\/details>/s.exec(
    html,
  )?.[0];
  return rowsOf(details ?? '');
}

function rowsOf(list: string): SessionRow[] {
  return (list.match(/<li\b.*?<\/li>/gs) ?? []).map((row) => {
    const paths = tags(row, 'a').map((link) => attributeOf(link, 'href') ?? '');
    const name =
      /<strong[^>]*>(.*?)<\/strong>/s.exec(row) ?? /<p class="font-medium">(.*?)<\/p>/s.exec(row);
    return {
      name: textOf(name?.[1] ?? ''),
      text: textOf(row),
      isCurrent: row.includes('This device'),
      signOutPath: paths.find((path) => path.endsWith('/sign-out')) ?? null,
      namePath: paths.find((path) => path.endsWith('/name')) ?? null,
    };
  });
}
