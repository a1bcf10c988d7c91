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

/** The service has chosen it (src/web/language.ts). */
export const language = document.documentElement.lang as Language;

const words: Words = {
  language,
  messages: (await (await fetch(`/ui/${language}.json`, { credentials: 'same-origin' })).json()) as Words['messages'],
};

/** What the page says, in the reader's language. */
export const t = <K extends Key>(key: K, ...needed: Needed<K>): string => say(words, key, ...needed);

/** What the service said, by its keys, in the reader's language; null where this page knows none of such a key. */
export function told(said: readonly Said[]): string | null {
  const texts = said.map((one) => sayIt(words, one));
  return texts.length === 0 || texts.includes(null) ? null : texts.join('');
}

export const figure = (text: string): string => figureIn(words, text);
export const listed = (texts: readonly string[]): string => listedIn(words, texts);

/** A code of a closed list that a later version may have longer: its message under `place`, else the code. */
export const named = (place: 'view' | 'reason', code: string): string =>
  sayIt(words, { key: `${place}.${code}`, values: {} }) ?? code;

/** Chosen by a person: the service keeps it, and shows this page anew. */
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

/** What was chosen by the address is kept: the address need not say so any more. */
function tidy(): void {
  const place = new URL(location.href);
  if (!place.searchParams.has('lang')) return;
  place.searchParams.delete('lang');
  history.replaceState(history.state, '', place);
}
tidy();
