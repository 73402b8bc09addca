import type { MetaFunction } from '@remix-run/node';

interface PageMetaOptions {
  /** For search engines and link previews. */
  description?: string;
  /** False: search engines must not list the page. */
  index?: boolean;
}

/** Returns the `meta` function of a page, with the product's name in its title. */
export function pageMeta(
  title: string,
  { description, index = true }: PageMetaOptions = {},
): MetaFunction {
  return () => [
    { title: `${title} · Latchkey` },
    ...(description === undefined ? [] : [{ name: 'description', content: description }]),
    ...(index ? [] : [{ name: 'robots', content: 'noindex' }]),
  ];
}
