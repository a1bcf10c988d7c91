import de from './catalogues/de.json';
import en from './catalogues/en.json';
import es from './catalogues/es.json';
import fr from './catalogues/fr.json';
import { type Key, type Language, type Said, sayIt, type Words } from './say';

/** The message catalogue of each language; a test checks that none lacks a key, a placeholder or a plural. */
const CATALOGUES: Readonly<Record<Language, Words['messages']>> = { en, es, de, fr };

export function wordsIn(language: Language): Words {
  return { language, messages: CATALOGUES[language] };
}

export const ENGLISH = wordsIn('en');

/**
 * Messages whose English text is stored in the archive, the list's database or a report, or sent by rooms without
 * catalogues. They are recognised by their text.
 */
const STORED = /^(reason|warning|remark|objection|leftOut|labels|problem)\./;

/** The message of an English sentence; null where it is none. */
export function recognised(sentence: string): Said | null {
  for (const { key, pattern } of patterns()) {
    const found = pattern.exec(sentence);
    if (found === null) continue;
    const values = Object.entries(found.groups ?? {}).map(([name, text]) => [name, numberIn(text)]);
    return { key, values: Object.fromEntries(values) as Said['values'] };
  }
  return null;
}

/** Translates a stored or received English sentence; one that is in no catalogue stays unchanged. */
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
    // Patterns with placeholders come last, as their sentences may also match one without.
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

/** A number selects the plural form. */
const numberIn = (text: string): string | number => (/^\d{1,15}$/.test(text) ? Number(text) : text);
