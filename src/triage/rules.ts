import { type PriorityRule, RULE_KEYWORDS, type RuleKeyword } from './config';

/** Values of a film's attributes for the rules; missing ones are left out. */
export type FilmAttributes = { readonly [keyword in RuleKeyword]?: readonly string[] | undefined };

/** Index of the first rule that the film meets; undefined when there is none. */
export function ruleFor(film: FilmAttributes, rules: readonly PriorityRule[]): number | undefined {
  const found = rules.findIndex((rule) => isMet(rule, film));
  return found === -1 ? undefined : found;
}

function isMet(rule: PriorityRule, film: FilmAttributes): boolean {
  return RULE_KEYWORDS.every((keyword) => {
    const wanted = rule[keyword];
    return (
      wanted === undefined || (film[keyword] ?? []).some((value) => wanted.some((pattern) => isMatch(value, pattern)))
    );
  });
}

/** Wild card matching with `*` only (PS3.4 section C.2.2.2.4), ignoring case and padding. */
export function isMatch(value: string, pattern: string): boolean {
  const [first = '', ...rest] = fold(pattern).split('*');
  const text = fold(value);
  if (rest.length === 0) return text === first;
  const last = rest.pop()!;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  // Not by a regular expression: one made of many stars takes exponential time on some texts.
  let at = first.length;
  return rest.every((part) => {
    const found = text.indexOf(part, at);
    at = found + part.length;
    return found !== -1 && at <= text.length - last.length;
  });
}

function fold(text: string): string {
  return text.normalize('NFC').trim().toLowerCase();
}
