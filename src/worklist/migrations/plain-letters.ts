/** As `base/plain-letters.ts` when step 006 was made: what version 0.1 writes has these letters still. */
const LETTERS = [
  ['ß', 'ss'],
  ['ø', 'o'],
  ['ł', 'l'],
  ['đ', 'd'],
  ['ð', 'd'],
  ['ı', 'i'],
  ['æ', 'ae'],
  ['œ', 'oe'],
  ['ς', 'σ'],
] as const;

/** The SQL expression with plain letters. */
export function withPlainLetters(expression: string): string {
  return LETTERS.reduce((text, [letter, plain]) => `replace(${text}, '${letter}', '${plain}')`, expression);
}
