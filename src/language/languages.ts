import { type Language, LANGUAGES } from './say';

/** Codes of the languages without their catalogues, for schemas and the language choice. */
export const LANGUAGE_NAMES = Object.keys(LANGUAGES) as Language[];

export function isLanguage(text: unknown): text is Language {
  return typeof text === 'string' && Object.hasOwn(LANGUAGES, text);
}
