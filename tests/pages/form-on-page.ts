/** A field of a form, as the page shows it. */
export interface FieldOnPage {
  /** The value. `null` if the field is empty, or if its value is never sent back (passwords). */
  value: string | null;
  isInvalid: boolean;
  isChecked: boolean;
  hasFocus: boolean;
  /** The text that `aria-describedby` points to: the error, or the help. `null` if there is none. */
  note: string | null;
}

/**
 * Returns the input with this name.
 *
 * @throws if the page has no such input, or the input has no label, or its note is missing.
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

/** Returns the error of the form as a whole. `null` if there is none. */
export function formErrorOnPage(html: string): string | null {
  const match = /<p[^>]* role="alert"[^>]*>(.*?)<\/p>/s.exec(html);
  return match ? textOf(match[1]!) : null;
}

/** Returns the text of a page, without markup and scripts. */
export function textOf(html: string): string {
  const text = html
    .replace(/<script\b.*?<\/script>/gs, '')
    .replace(/<!--.*?-->/gs, '')
    .replace(/<[^>]*>/g, ' ');
  return unescaped(text).replace(/\s+/g, ' ').trim();
}

/** Returns all opening tags with this name. */
export function tags(html: string, name: string): string[] {
  return html.match(new RegExp(`<${name}\\b(?:"[^"]*"|'[^']*'|[^>"'])*>`, 'g')) ?? [];
}

/** Returns the value of an attribute. `null` if the tag does not have it. */
export function attributeOf(tag: string, name: string): string | null {
  const match = new RegExp(`\\s${name}="([^"]*)"`, 'i').exec(tag);
  return match ? unescaped(match[1]!) : null;
}

function noteOf(html: string, id: string): string {
  const match = new RegExp(`<p id="${id}"[^>]*>(.*?)</p>`, 's').exec(html);
  if (!match) throw new Error(`The page has no paragraph with the id ${id}.`);
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
