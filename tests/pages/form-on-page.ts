/** A field of a form, as a person meets it on the page. */
export interface FieldOnPage {
  /** What stands in it; null when it came back empty, or holds what is never sent back. */
  value: string | null;
  isInvalid: boolean;
  isChecked: boolean;
  hasFocus: boolean;
  /** The text that its `aria-describedby` points to: its error, or its help. */
  note: string | null;
}

/**
 * The input of that name.
 *
 * @throws when the page has no such input, or its label or note points nowhere.
 */
export function fieldOnPage(html: string, name: string): FieldOnPage {
  const tag = tags(html, 'input').find((input) => attributeOf(input, 'name') === name);
  if (tag === undefined) throw new Error(`The page has no field "${name}".`);
  const id = attributeOf(tag, 'id');
  if (!html.includes(`<label for="${id}"`)) throw new Error(`The field "${name}" has no label.`);
  const describedBy = attributeOf(tag, 'aria-describedby');
  return {
    value: attributeOf(tag, 'value'),
    isInvalid: attributeOf(tag, 'aria-invalid') === 'true',
    isChecked: attributeOf(tag, 'checked') !== null,
    hasFocus: attributeOf(tag, 'autofocus') !== null,
    note: describedBy === null ? null : noteOf(html, describedBy),
  };
}

/** What is wrong with the form as a whole; null when nothing is. */
export function formErrorOnPage(html: string): string | null {
  const match = /<p[^>]* role="alert"[^>]*>(.*?)<\/p>/s.exec(html);
  return match ? textOf(match[1]!) : null;
}

/** The text of a page, without its markup and its scripts. */
export function textOf(html: string): string {
  const text = html
    .replace(/<script\b.*?<\/script>/gs, '')
    .replace(/<!--.*?-->/gs, '')
    .replace(/<[^>]*>/g, ' ');
  return unescaped(text).replace(/\s+/g, ' ').trim();
}

/** The opening tags of that name. */
export function tags(html: string, name: string): string[] {
  return html.match(new RegExp(`<${name}\\b(?:"[^"]*"|'[^']*'|[^>"'])*>`, 'g')) ?? [];
}

/** The value of a tag's attribute; null when it has none. */
export function attributeOf(tag: string, name: string): string | null {
  const match = new RegExp(`\\s${name}="([^"]*)"`, 'i').exec(tag);
  return match ? unescaped(match[1]!) : null;
}

function noteOf(html: string, id: string): string {
  const match = new RegExp(`<p id="${id}"[^>]*>(.*?)</p>`, 's').exec(html);
  if (!match) throw new Error(`Nothing on the page has the id ${id}.`);
  return textOf(match[1]!);
}

const ENTITIES: Record<string, string> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#x27;': "'",
  '&amp;': '&',
};

const unescaped = (text: string) =>
  text.replace(/&(lt|gt|quot|#x27|amp);/g, (entity) => ENTITIES[entity]!);
