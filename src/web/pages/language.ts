import {
  figure as figureIn,
  type Key,
  type Language,
  LANGUAGES,
  listed as listedIn,
  type Needed,
  type Said,
  say,
  sayIt,
  type Words,
} from './say.js';

/** Language chosen by the service (src/web/language.ts). */
export const language = document.documentElement.lang as Language;

const words: Words = {
  language,
  messages: (await (await fetch(`/ui/${language}.json`, { credentials: 'same-origin' })).json()) as Words['messages'],
};

/** A message in the reader's language. */
export const t = <K extends Key>(key: K, ...needed: Needed<K>): string => say(words, key, ...needed);

/** Messages of the service in the reader's language, by their keys; null where this page knows none of them. */
export function told(said: readonly Said[]): string | null {
  const texts = said.map((one) => sayIt(words, one));
  return texts.length === 0 || texts.includes(null) ? null : texts.join('');
}

export const figure = (text: string): string => figureIn(words, text);
export const listed = (texts: readonly string[]): string => listedIn(words, texts);

/**
 * The name of a code from a closed list: its message under `place`, else the code itself, which a later version may
 * have added.
 */
export const named = (place: 'view' | 'reason', code: string): string =>
  sayIt(words, { key: `${place}.${code}`, values: {} }) ?? code;

/** Language selection: the service stores the choice and reloads the page. */
export function languageChoice(): HTMLSelectElement {
  const select = document.createElement('select');
  select.id = 'language';
  select.setAttribute('aria-label', t('page.language'));
  for (const [value, name] of Object.entries(LANGUAGES)) {
    const option = new Option(name, value, value === language, value === language);
    option.lang = value;
    select.append(option);
  }
  select.addEventListener('change', () => {
    const place = new URL(location.href);
    place.searchParams.set('lang', select.value);
    location.assign(place);
  });
  return select;
}

/** Removes `?lang=` from the address once the choice is stored. */
function tidy(): void {
  const place = new URL(location.href);
  if (!place.searchParams.has('lang')) return;
  place.searchParams.delete('lang');
  history.replaceState(history.state, '', place);
}
tidy();
