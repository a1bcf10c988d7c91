import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { NOT_ANALYSED_REASONS, WARNINGS } from '../../src/events/closed-lists';
import {
  BODY_PART_UNCLEAR,
  CORRECTED,
  ONLY_IN_SHADOW,
  pixelRemark,
  REASON_TEXTS,
  relationOf,
  REPLACED,
  RESEARCH_USE,
  WARNING_TEXTS,
  WITHDRAWN,
} from '../../src/finding/wording';
import { copies } from '../../src/evaluation/duplicates';
import { readLabels } from '../../src/evaluation/labels';
import { figure, type Key, type Language, listed, say, sayIt } from '../../src/language/say';
import { LANGUAGE_NAMES } from '../../src/language/languages';
import { ENGLISH, recognised, translated, wordsIn } from '../../src/language/words';
import { chooseOperatingPoint } from '../../src/statistics/operating-point';
import type { Scored } from '../../src/statistics/statistics';
import { SHOWN_STATES, VERDICTS } from '../../src/worklist/states';

const SRC = resolve(__dirname, '../../src');
const OTHERS = LANGUAGE_NAMES.filter((language) => language !== 'en');
const KEYS = Object.keys(ENGLISH.messages) as Key[];

type Message = (typeof ENGLISH)['messages'][Key];

const formsOf = (message: Message): string[] => (typeof message === 'string' ? [message] : Object.values(message));
const textOf = (language: Language, key: Key) => formsOf(wordsIn(language).messages[key]).join(' / ');
const placeholders = (text: string) => [...new Set(text.match(/\{\w+\}/g))].sort();

describe.each(OTHERS)('%s', (language) => {
  const { messages } = wordsIn(language);

  test('has the keys of English, in the same order', () => {
    expect(Object.keys(messages)).toEqual(KEYS);
  });

  test('fills in the same, in each plural form', () => {
    const names = (message: Message) => formsOf(message).map(placeholders);
    for (const key of KEYS)
      expect({ key, names: names(messages[key]) }).toEqual({ key, names: names(ENGLISH.messages[key]) });
  });

  test('has a plural where English has one, with every form that it needs', () => {
    // "many" is of a million and more in Spanish and French; `other` is said then.
    const needed = new Intl.PluralRules(language).resolvedOptions().pluralCategories.filter((form) => form !== 'many');
    for (const key of KEYS) {
      const [english, message] = [ENGLISH.messages[key], messages[key]];
      expect({ key, isPlural: typeof message === 'object' }).toEqual({ key, isPlural: typeof english === 'object' });
      if (typeof message === 'object') expect(Object.keys(message).sort()).toEqual([...needed].sort());
    }
  });

  test('leaves nothing empty, and nothing in English but what is the same word', () => {
    expect(KEYS.filter((key) => formsOf(messages[key]).some((text) => text.trim() === ''))).toEqual([]);
    const same = KEYS.filter((key) => textOf(language, key) === textOf('en', key));
    expect(same).toEqual(KEYS.filter((key) => SAME[language].includes(key)));
  });
});

const EVERYWHERE: readonly Key[] = [
  'study.fact.uid',
  'film.zoom',
  'evaluation.subgroups.auc',
  'duration.seconds',
  'duration.minutes',
];

/** Abbreviations, names of the Standard and words that two languages share. */
const SAME: Readonly<Record<Language, readonly Key[]>> = {
  en: [],
  es: [
    ...EVERYWHERE,
    'view.frontal',
    'view.lateral',
    'signIn.token',
    'account.roles',
    'help.key.escape',
    'list.choice.frontal',
    'list.choice.lateral',
    'duration.hours',
    'duration.days',
  ],
  de: [
    ...EVERYWHERE,
    'email.patient',
    'priority.routine',
    'view.frontal',
    'signIn.name',
    'signIn.token',
    'help.key.enter',
    'help.key.escape',
    'page.live',
    'list.choice.frontal',
    'list.column.patient',
    'operation.queue.routine',
    'operation.outages.problem',
    'operation.turnaround.median',
    'operation.installed.version',
    'operation.drift',
    'operation.drift.index',
  ],
  fr: [
    ...EVERYWHERE,
    'evaluation.column.version',
    'evaluation.calibration.heading',
    'page.pages',
    'priority.routine',
    'priority.urgent',
    'account.sessions',
    'list.column.patient',
    'duration.hours',
    'operation.queue.routine',
    'operation.installed.version',
    'operation.docs',
  ],
};

/** Words that would say that something is absent, or that a reader could take for it. */
const FORBIDDEN: Readonly<Record<Language, RegExp>> = {
  en: /\b(normal|abnormal|negative|healthy|unremarkable|all[- ]clear|no (finding|evidence|disease)s?|ruled? out)\b/i,
  es: /\b(a?normal(es)?|negativ[oa]s?|san[oa]s?|sin (hallazgo|evidencia|enfermedad)|no hay hallazgo|descartad)/i,
  de: /(normal|auffällig|negativ|gesund|ohne Befund|befundfrei|keine?n? (Befund|Hinweis|Nachweis)|ausgeschlossen)/i,
  fr: /(\ba?norma(l|le|ux|les)\b|négati|\bsaine?s?\b|sans (anomalie|particularité)|aucune? (anomalie|signe)|exclu)/i,
};

test.each(LANGUAGE_NAMES)('%s never says that a film is free of anything', (language) => {
  const said = (key: Key) => textOf(language, key).replace(/\{\w+\}/g, '');
  expect(KEYS.filter((key) => FORBIDDEN[language].test(said(key)))).toEqual([]);
});

test('the words that are looked for are found', () => {
  expect('El estudio es normal, sin hallazgos').toMatch(FORBIDDEN.es);
  expect('Unauffälliger Befund').toMatch(FORBIDDEN.de);
  expect('Radiographie sans anomalie').toMatch(FORBIDDEN.fr);
});

test('below the operating point nothing is said about absence, and research use is said, in each language', () => {
  const absence = { en: /no statement about absence/, es: /ninguna afirmación sobre la ausencia/ };
  const further = { de: /keine Aussage über das Fehlen/, fr: /aucune affirmation sur l'absence/ };
  const research = { en: /Research use only/, es: /Solo para investigación/, de: /Nur für Forschungszwecke/ };
  const unverified = { en: /Unverified/, es: /Sin verificar/, de: /Nicht verifiziert/, fr: /Non vérifié/ };
  for (const language of LANGUAGE_NAMES) {
    expect(textOf(language, 'result.below')).toMatch({ ...absence, ...further }[language]);
    expect(textOf(language, 'result.noStatement')).toMatch(
      new RegExp({ ...absence, ...further }[language].source, 'i'),
    );
    for (const key of ['research.statement', 'research.sentence'] as const)
      expect(textOf(language, key)).toMatch({ ...research, fr: /Réservé à la recherche/ }[language]);
    expect(textOf(language, 'research.statement')).toMatch(unverified[language]);
  }
});

describe('what the service says in English', () => {
  const english = (key: Key) => textOf('en', key);

  test('of research use, reasons and warnings is what the English catalogue says, and none is missing', () => {
    for (const key of ['statement', 'sentence', 'unverified', 'short'] as const)
      expect(english(`research.${key}`)).toBe(RESEARCH_USE[key]);
    for (const reason of NOT_ANALYSED_REASONS) expect(english(`reason.${reason}`)).toBe(REASON_TEXTS[reason]);
    for (const warning of WARNINGS) expect(english(`warning.${warning}`)).toBe(WARNING_TEXTS[warning]);
    for (const state of SHOWN_STATES) expect(english(`state.${state}`)).not.toBe('');
    for (const verdict of VERDICTS) expect(english(`verdict.${verdict}`)).not.toBe('');
  });

  test('of where a probability lies, too', () => {
    const at = (probability: number) => relationOf({ probability, operatingPoint: 0.5, atOrAbove: probability >= 0.5 });
    expect(at(0.7)).toBe(say(ENGLISH, 'result.reached', { point: '50.0' }));
    expect(at(0.2)).toBe(say(ENGLISH, 'result.below', { point: '50.0' }));
    expect(ONLY_IN_SHADOW).toBe(say(ENGLISH, 'result.inShadow'));
  });

  test('and writes down is known again, all of it, and can be said in each language', () => {
    const stored = new Map(sentences().map((sentence) => [sentence, recognised(sentence)]));
    expect([...stored].filter(([, said]) => said === null).map(([sentence]) => sentence)).toEqual([]);
    const met = new Set([...stored.values()].map((said) => said!.key));
    const known = KEYS.filter((key) => /^(reason|warning|remark|objection|leftOut|labels|problem)\./.test(key));
    expect(known.filter((key) => !met.has(key))).toEqual([]);
    for (const [sentence, said] of stored) {
      expect(translated(ENGLISH, sentence)).toBe(sentence);
      for (const language of OTHERS) {
        expect(sayIt(wordsIn(language), said!)).not.toMatch(/[{}]/);
        expect(translated(wordsIn(language), sentence)).not.toBe(sentence);
      }
    }
  });

  test('a sentence that nobody knows stays as it is', () => {
    expect(translated(wordsIn('de'), 'Something else.')).toBe('Something else.');
    expect(sayIt(wordsIn('de'), { key: 'constructor', values: {} })).toBeNull();
  });
});

/** All sentences that are stored or sent in English, from where they are made. */
function sentences(): string[] {
  const kinds = ['outlying-values', 'undeclared-padding', 'beyond-bits-stored', 'half-resolution'] as const;
  return [
    ...Object.values(REASON_TEXTS),
    ...Object.values(WARNING_TEXTS),
    ...kinds.flatMap((kind) => [1, 2, 700].map((pixels) => pixelRemark({ kind, pixels }))),
    BODY_PART_UNCLEAR,
    WITHDRAWN,
    REPLACED,
    CORRECTED,
    ...objections(),
    ...leftOut(),
    ...readLabels(Buffer.from('file,label\na,1\nb,0\nc\n,1\nd,\na,1\nb,1\ne,0\n')).problems.map(({ text }) => text),
    ...ofAccess(),
  ];
}

function objections(): string[] {
  const films = (count: number, score: (i: number) => number, positive: boolean): Scored[] =>
    Array.from({ length: count }, (_, i) => ({ positive, score: score(i), patient: `${positive} ${i}` }));
  const few = chooseOperatingPoint([...films(4, () => 0.9, true), ...films(4, () => 0.1, false)], 0.95);
  const chance = chooseOperatingPoint(
    [...films(200, (i) => (i % 2) / 2, true), ...films(200, (i) => 0.1 + (i % 2) / 2, false)],
    0.95,
  );
  // One half of the patients with much lower probabilities than the other.
  const { half } = jest.requireActual<typeof import('../../src/statistics/operating-point')>(
    '../../src/statistics/operating-point',
  );
  const apart = films(300, () => 0.5, true).map((film) => ({
    ...film,
    score: half(film.patient) === 'chosenOn' ? 0.9 : 0.2,
  }));
  const missed = chooseOperatingPoint([...apart, ...films(300, () => 0.1, false)], 0.95);
  return [...few.objections, ...chance.objections, ...missed.objections];
}

function leftOut(): string[] {
  const film = (file: string, positive: boolean, sha256: string) => ({
    label: { file, positive, patient: null, groups: {}, line: 1 },
    record: { sha256 } as never,
    headerPatient: null,
  });
  const found = copies([film('a', true, 'x'), film('b', true, 'x'), film('c', true, 'y'), film('d', false, 'y')]);
  return [...found.values(), 'no such file', 'outside the folder of films', 'not looked at'];
}

/** Sentences for the sign-in and account pages, as they stand in the sources of the access layer. */
function ofAccess(): string[] {
  const files = ['directory.ts', 'password.ts', 'sign-in-routes.ts', 'account-routes.ts', 'access.ts'];
  return files.flatMap((file) => {
    const source = readFileSync(join(SRC, 'web/access', file), 'utf8')
      .replace(/\/\*[^]*?\*\/|(?<=\s)\/\/.*/g, '')
      .replace(/' \+\s*'/g, '')
      .replace(/\$\{[^}]*\}/g, '12');
    return [...source.matchAll(/(['`])([A-Z][^'`\n]* [^'`\n]*\.)\1/g)].map(([, , text]) => text!);
  });
}

test('each message is said somewhere', () => {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(
    (name) => /\.(ts|html)$/.test(name) && !/messages\.d\.ts$/.test(name),
  );
  const code = files.map((name) => readFileSync(join(SRC, name), 'utf8')).join('\n');
  const quoted = new Set([...code.matchAll(/'([\w-]+(?:\.[\w-]+)+)'|\{\{([\w.-]+)\}\}/g)].map(([, a, b]) => a ?? b));
  const begun = [...code.matchAll(/(?:words, |\bt\(|said\(|key: )`([a-zA-Z]+(?:\.[a-zA-Z]+)*\.)\$\{/g)].map(
    ([, prefix]) => prefix!,
  );
  const isSaid = (key: string) =>
    quoted.has(key) || begun.some((prefix) => key.startsWith(prefix) && !key.slice(prefix.length).includes('.'));
  const byCode = /^(reason|view|warning|remark|objection|leftOut|labels|problem)\./;
  expect(KEYS.filter((key) => !byCode.test(key) && !isSaid(key))).toEqual([]);
  const page = readFileSync(join(SRC, 'web/pages/index.html'), 'utf8');
  const named = [...page.matchAll(/\{\{([\w.-]+)\}\}/g)].map(([, key]) => key!).filter((key) => key !== 'language');
  expect(named.filter((key) => !KEYS.includes(key as Key))).toEqual([]);
});

test('numbers, figures and lists are written as the language does', () => {
  const [en, es, de, fr] = LANGUAGE_NAMES.map(wordsIn) as [
    typeof ENGLISH,
    typeof ENGLISH,
    typeof ENGLISH,
    typeof ENGLISH,
  ];
  expect([en, es, de, fr].map((words) => figure(words, '< 0.1'))).toEqual(['< 0.1', '< 0,1', '< 0,1', '< 0,1']);
  expect([en, es, de, fr].map((words) => listed(words, ['A', 'B']))).toEqual(['A and B', 'A y B', 'A und B', 'A et B']);
  expect(say(de, 'remark.outlying-values', { count: 1 })).toContain('ohne 1 Pixel bestimmt, der');
  expect(say(de, 'remark.outlying-values', { count: 20_000 })).toContain('ohne 20.000 Pixel bestimmt, die');
  // French has no plural for 0.
  expect(say(fr, 'evaluation.leftOut.moreRows', { count: 0 })).toBe('0 autre ligne dans report.json.');
});
