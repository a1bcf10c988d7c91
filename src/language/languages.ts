import { type Language, LANGUAGES } from './say';

/** The names of the languages, for schemas and for whoever chooses; without what is said in them. */
export const LANGUAGE_NAMES = Object.keys(LANGUAGES) as Language[];

export function isLanguage(text: unknown): text is Language {
  return typeof text === 'string' && Object.hasOwn(LANGUAGES, text);
}
