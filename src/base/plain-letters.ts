/** Lower-case letters that Unicode does not decompose into letter and accent, and the one that ends Greek words. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  ı: 'i',
  æ: 'ae',
  œ: 'oe',
  ς: 'σ',
};

const ANY = new RegExp(`[${Object.keys(LETTERS).join('')}]`, 'g');

/** Lower-case text with plain letters instead of those. */
export function plainLetters(text: string): string {
  return text.replace(ANY, (letter) => LETTERS[letter]!);
}
