/** Text that is HTML already and is not escaped. */
export class Html {
  constructor(readonly text: string) {}
}

/** What a template takes: text is escaped, a list is its parts one after the other, null and undefined are nothing. */
export type HtmlPart = string | number | Html | null | undefined | readonly HtmlPart[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function written(part: HtmlPart): string {
  if (part === null || part === undefined) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(written).join('');
  return String(part).replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/** HTML template: values are escaped unless they are {@link Html}; attribute values must be in quotes. */
export function html(texts: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  return new Html(texts.map((text, i) => text + written(parts[i])).join(''));
}
