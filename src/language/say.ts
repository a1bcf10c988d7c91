import type { Messages } from './messages';

/** The languages of pages, e-mail and evaluation report (ISO 639-1), each by its own name. */
export const LANGUAGES = { en: 'English', es: 'Español', de: 'Deutsch', fr: 'Français' } as const;
export type Language = keyof typeof LANGUAGES;
export type Key = keyof Messages;

/** Those of messages that nothing is filled into. @public used by the pages, in their copy of this file */
export type PlainKey = { [K in Key]: [Messages[K]] extends [never] ? K : never }[Key];

/** A text with {names} to be filled in; or one for each plural form that the language has (CLDR), chosen by {count}. */
type Message = string | (Readonly<Partial<Record<Intl.LDMLPluralRule, string>>> & { readonly other: string });

/** A language with all that is said in it. */
export interface Words {
  readonly language: Language;
  readonly messages: Readonly<Record<Key, Message>>;
}

type Filling = Readonly<Record<string, string | number>>;
/** What {@link say} needs beside the key. */
export type Needed<K extends Key> = [Messages[K]] extends [never]
  ? []
  : [Readonly<Record<Messages[K], string | number>>];

/** A message before it has a language: as an API sends it. */
export interface Said {
  readonly key: string;
  readonly values: Filling;
}

/** A message in a language. Numbers are written as the language does, texts are put in as they are. */
export function say<K extends Key>(words: Words, key: K, ...needed: Needed<K>): string {
  return filled(words, words.messages[key], needed[0] ?? {});
}

/** What somebody else said, by its key; null where this version knows no such message. */
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

/** A figure that is written in digits with a decimal point (`0.93`, `< 0.1`), as the language writes it. */
export function figure({ language }: Pick<Words, 'language'>, text: string): string {
  const parts = new Intl.NumberFormat(language).formatToParts(0.5);
  return text.replaceAll('.', parts.find(({ type }) => type === 'decimal')?.value ?? '.');
}

/** `a, b and c` as the language has it. */
export function listed({ language }: Pick<Words, 'language'>, texts: readonly string[]): string {
  return new Intl.ListFormat(language, { type: 'conjunction' }).format(texts);
}
