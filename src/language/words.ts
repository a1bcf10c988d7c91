import de from './catalogues/de.json';
import en from './catalogues/en.json';
import es from './catalogues/es.json';
import fr from './catalogues/fr.json';
import { type Key, type Language, type Said, sayIt, type Words } from './say';

/** One message catalogue for each language; a test sees to it that none lacks a key, a placeholder or a plural. */
const CATALOGUES: Readonly<Record<Language, Words['messages']>> = { en, es, de, fr };

export function wordsIn(language: Language): Words {
  return { language, messages: CATALOGUES[language] };
}

export const ENGLISH = wordsIn('en');

/**
 * Messages whose English is written into the archive, the list's database or a report, or is said by a room that other
 * software reads: they come as sentences, and are known again by them.
 */
const STORED = /^(reason|warning|remark|objection|leftOut|labels|problem)\./;

/** The message that an English sentence is; null for a sentence that is none of them. */
export function recognised(sentence: string): Said | null {
  for (const { key, pattern } of patterns()) {
    const found = pattern.exec(sentence);
    if (found === null) continue;
    const values = Object.entries(found.groups ?? {}).map(([name, text]) => [name, numberIn(text)]);
    return { key, values: Object.fromEntries(values) as Said['values'] };
  }
  return null;
}

/** A sentence that is stored or sent in English, in a reader's language; one that no catalogue has stays as it is. */
export function translated(words: Words, sentence: string): string {
  const said = words.language === 'en' ? null : recognised(sentence);
  return (said && sayIt(words, said)) ?? sentence;
}

type Message = Words['messages'][Key];

let made: { readonly key: string; readonly pattern: RegExp }[] | undefined;

function patterns() {
  made ??= (Object.entries(en) as [Key, Message][])
    .filter(([key]) => STORED.test(key))
    .flatMap(([key, message]) => formsOf(message).map((text) => ({ key, text })))
    // A sentence with a placeholder may fit one without.
    .sort((a, b) => Number(a.text.includes('{')) - Number(b.text.includes('{')))
    .map(({ key, text }) => ({ key, pattern: patternOf(text) }));
  return made;
}

const formsOf = (message: Message): string[] => (typeof message === 'string' ? [message] : Object.values(message));

function patternOf(text: string): RegExp {
  const parts = text.split(/\{(\w+)\}/);
  const patterned = parts.map((part, i) =>
    i % 2 === 0 ? part.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&') : `(?<${part}>.+?)`,
  );
  return new RegExp(`^${patterned.join('')}$`, 's');
}

/** A count chooses the plural. */
const numberIn = (text: string): string | number => (/^\d{1,15}$/.test(text) ? Number(text) : text);
