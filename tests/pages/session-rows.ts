import { attributeOf, tags, textOf } from './form-on-page.ts';

/** A session, as the user sees it on the sessions page. */
export interface SessionRow {
  name: string;
  /** The whole text of its row. */
  text: string;
  isCurrent: boolean;
  /** The path behind "Sign out"; null if the row has no such link. */
  signOutPath: string | null;
  namePath: string | null;
}

/** Returns the live sessions on the page, in their order. */
export function sessionRows(html: string): SessionRow[] {
  const list = /<ul aria-label="Signed-in devices".*?<\/ul>/s.exec(html)?.[0] ?? '';
  return rowsOf(list);
}

/** Returns the sessions under "Recently ended", in their order. */
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
