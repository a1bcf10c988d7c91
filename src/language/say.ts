import type { Messages } from './messages';

/** The languages of pages, e-mail and evaluation report (ISO 639-1), each by its own name. */
export const LANGUAGES = { en: 'English', es: 'Español', de: 'Deutsch', fr: 'Français' } as const;
export type Language = keyof typeof LANGUAGES;
export type Key = keyof Messages;

/** Keys of messages without placeholders. @public used by the pages, in their copy of this file */
export type PlainKey = { [K in Key]: [Messages[K]] extends [never] ? K : never }[Key];

/** A text with {names} as placeholders, or one text for each plural form of the language (CLDR), chosen by {count}. */
type Message = string | (Readonly<Partial<Record<Intl.LDMLPluralRule, string>>> & { readonly other: string });

/** A language with its message catalogue. */
export interface Words {
  readonly language: Language;
  readonly messages: Readonly<Record<Key, Message>>;
}

type Filling = Readonly<Record<string, string | number>>;
/** The values that {@link say} needs for a key. */
export type Needed<K extends Key> = [Messages[K]] extends [never]
  ? []
  : [Readonly<Record<Messages[K], string | number>>];

/** A message without a language, as an API sends it. */
export interface Said {
  readonly key: string;
  readonly values: Filling;
}

/** A message in a language. Numbers are formatted for the language, texts are inserted unchanged. */
export function say<K extends Key>(words: Words, key: K, ...needed: Needed<K>): string {
  return filled(words, words.messages[key], needed[0] ?? {});
}

/** A received message, by its key; null where this version does not know the key. */
export function sayIt({ language, messages }: Words, { key, values }: Said): string | null {
  return Object.hasOwn(messages, key) ? filled({ language }, messages[key as Key], values) : null;
}

function filled({ language }: Pick<Words, 'language'>, message: Message, values: Filling): string {
  const count = Number(values['count']);
  const text =
    typeof message === 'string' ? message : (message[new Intl.PluralRules(language).select(count)] ?? message.other);
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === 'number' ? new Intl.NumberFormat(language).format(value) : value;
  });
}

/** A figure written with a decimal point (`0.93`, `< 0.1`) in the format of the language. */
export function figure({ language }: Pick<Words, 'language'>, text: string): string {
  const parts = new Intl.NumberFormat(language).formatToParts(0.5);
  return text.replaceAll('.', parts.find(({ type }) => type === 'decimal')?.value ?? '.');
}

/** A list such as `a, b and c` in the format of the language. */
export function listed({ language }: Pick<Words, 'language'>, texts: readonly string[]): string {
  return new Intl.ListFormat(language, { type: 'conjunction' }).format(texts);
}
