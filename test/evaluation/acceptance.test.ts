import Ajv2020 from 'ajv/dist/2020';
import { parse } from 'csv-parse/sync';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { compare } from '../../src/evaluation/comparison';
import { filmsCsv } from '../../src/evaluation/films-csv';
import type { FilmRecord } from '../../src/evaluation/journal';
import { readLabels } from '../../src/evaluation/labels';
import { page } from '../../src/evaluation/page';
import { CRITERIA, readProtocol } from '../../src/evaluation/protocol';
import { type EvaluationInput, makeReport } from '../../src/evaluation/report';
import { LANGUAGE_NAMES } from '../../src/language/languages';
import { wordsIn } from '../../src/language/words';
import { fakePipeline } from '../support/pipeline/fake-pipeline';

const protocolOf = (text: string) => readProtocol(Buffer.from(text));

const WHOLE = `
site: St. Example
department: Radiology
device: Hilum on host1; mobile units 3 and 4
purpose: acceptance test
examiner: { name: A. Physicist, role: medical physicist }
responsible: { name: B. Radiologist }
prevalence: 0.05
threshold: 0.3
criteria:
  auc: { atLeast: 0.7, by: bound }
  sensitivity: { atLeast: 0.8 }
  positivePredictiveValue: { atLeast: 0.99 }
  notAnalysed: { atMost: 0.2, by: bound }
  patientsWith: { atLeast: 30 }
`;

describe('the protocol file', () => {
  test('is read, with its digest', () => {
    expect(protocolOf(WHOLE)).toMatchObject({
      site: 'St. Example',
      prevalence: 0.05,
      criteria: { auc: { atLeast: 0.7, by: 'bound' } },
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
    expect(Object.keys(protocolOf(''))).toEqual(['sha256']);
  });

  test('all its problems are told at once, by their place', () => {
    expect(() =>
      protocolOf('sit: x\nprevalence: 5\ncriteria: { auc: {}, sensitivity: { atLeast: 80 }, speed: { atLeast: 1 } }'),
    ).toThrow(
      expect.objectContaining({
        code: 'PROTOCOL_INVALID',
        message: expect.stringMatching(
          /prevalence: .*criteria.auc: needs one of atLeast and atMost.*criteria.speed: unknown key; sit: unknown key/,
        ) as string,
      }),
    );
    const said = (text: string) => {
      try {
        protocolOf(text);
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(said('criteria: { sensitivity: { atLeast: 80 } }')).toContain('criteria.sensitivity: is a share, 0 to 1');
    expect(said('criteria: { calibrationError: { atMost: 0.1, by: bound } }')).toContain('has no interval');
    expect(said('criteria: { positivePredictiveValue: { atLeast: 0.1 } }')).toContain('needs prevalence');
    expect(said('criteria: { speed: { atLeast: 1 } }')).toContain('speed');
    expect(said('site: [')).toMatch(/^protocol file: /);
    expect(said('- a\n- b\n')).toMatch(/^protocol file: /);
  });
});

/** 40 patients with the finding, 40 without, a film each; the scores overlap. */
const FILMS = Array.from({ length: 80 }, (_, i) => ({
  file: `${i}.dcm`,
  positive: i < 40,
  score: i < 40 ? 0.2 + (i % 20) / 25 : (i % 20) / 25,
}));
const ROWS = FILMS.map(({ file, positive }, i) => `${file},${positive ? 1 : 0},=p${i}\n`);
const CSV = `file,label,patient\n${ROWS.join('')}lateral.dcm,1,\n`;

function recordsOf(score: (film: (typeof FILMS)[number]) => number | null): Map<string, FilmRecord> {
  const base = { bytes: 1, modified: 1, kind: 'dicom' as const, facts: {}, lungFraction: 0.3, reasonText: null };
  const films = FILMS.flatMap((film): [string, FilmRecord][] => {
    const probability = score(film);
    if (probability === null) return [];
    return [
      [
        film.file,
        {
          ...base,
          file: film.file,
          sha256: film.file,
          outcome: 'analysed',
          reason: null,
          view: 'frontal',
          probabilities: { 'COVID-19': probability },
        },
      ],
    ];
  });
  const lateral: FilmRecord = {
    ...base,
    file: 'lateral.dcm',
    sha256: 'l',
    outcome: 'not-analysed',
    reason: 'lateral-view',
    view: 'lateral',
    probabilities: {},
  };
  return new Map([...films, ['lateral.dcm', lateral]]);
}

const identity = fakePipeline().pipeline.identity();

function reportOf(more: Partial<EvaluationInput> = {}) {
  return makeReport({
    labels: readLabels(Buffer.from(CSV)),
    labelsSha256: 'x',
    records: recordsOf(({ score }) => score),
    patients: new Map(),
    failures: [],
    identity,
    finding: 'COVID-19',
    settings: { threshold: 0.5, thresholdFrom: 'model', wantedSensitivity: 0.95, bootstrap: { rounds: 200, seed: 1 } },
    unlabelled: [],
    protocol: null,
    comparedWith: null,
    now: new Date(0),
    ...more,
  });
}

test('criteria are judged at the proposed threshold, by value or by the unfavourable end of the interval', () => {
  const report = reportOf({ protocol: protocolOf(WHOLE) });
  const { acceptance, proposed } = report;
  expect(acceptance!.threshold).toBe(0.3);
  // 0.2 + k/25 >= 0.3 for k >= 3: 34 of 40; k/25 < 0.3 for k < 8: 16 of 40.
  expect(proposed).toMatchObject({
    from: 'protocol',
    figures: { confusion: { truePositive: 34, falseNegative: 6, falsePositive: 24, trueNegative: 16 } },
    flagged: { hits: 58, n: 80 },
  });
  expect(acceptance!.criteria.map(({ name, isMet }) => [name, isMet])).toEqual([
    ['auc', report.auc.interval![0] >= 0.7],
    ['sensitivity', true],
    ['positivePredictiveValue', false],
    ['notAnalysed', true],
    ['patientsWith', true],
  ]);
  expect(acceptance!.isAccepted).toBe(false);
  const ppv = (0.85 * 0.05) / (0.85 * 0.05 + 0.6 * 0.95);
  expect(report.predictive!.atProposed!.positive.value).toBeCloseTo(ppv, 10);
  expect(acceptance!.criteria[2]!.value).toBeCloseTo(ppv, 10);
  expect(report.notAnalysed).toMatchObject({ hits: 1, n: 81 });
});

test.each([
  ['the value holds, its interval does not', 'sensitivity: { atLeast: 0.8, by: bound }', false],
  ['both hold', 'sensitivity: { atLeast: 0.6, by: bound }', true],
  ['at most, by the upper end', 'flagged: { atMost: 0.75, by: bound }', false],
  ['at most, by the value', 'flagged: { atMost: 0.75 }', true],
  ['a count', 'patientsWithout: { atLeast: 41 }', false],
])('%s', (_name, criterion, isAccepted) => {
  const protocol = protocolOf(`threshold: 0.3\ncriteria: { ${criterion} }`);
  expect(reportOf({ protocol }).acceptance).toMatchObject({ isAccepted });
});

test('what can not be measured is not met; every criterion there is has a place on the page', () => {
  const criteria = CRITERIA.map((name) => `${name}: { atLeast: 0 }`).join(', ');
  const protocol = protocolOf(`prevalence: 0.1\ncriteria: { ${criteria} }`);
  const all = reportOf({ protocol }).acceptance!;
  expect(all.criteria.map(({ name }) => name)).toEqual(CRITERIA);
  expect(all.isAccepted).toBe(true);
  const none = reportOf({ protocol, records: new Map() });
  const unmeasured = none.acceptance!.criteria.filter(({ value }) => value === null);
  expect(unmeasured.length).toBeGreaterThan(5);
  expect(unmeasured.every(({ isMet }) => !isMet)).toBe(true);
  expect(page(none, [])).toContain('NOT met');
});

test('without a protocol the chosen threshold is shown on the half that it has not seen', () => {
  const { proposed, choice, predictive, acceptance, protocol } = reportOf();
  expect([predictive, acceptance, protocol]).toEqual([null, null, null]);
  expect(proposed).toMatchObject({ from: 'choice', figures: { threshold: choice.threshold } });
  expect(proposed!.flagged.n).toBeLessThan(80);
});

describe('compared on the same films', () => {
  const better = recordsOf(({ score, positive, file }) => (file === '3.dcm' ? null : positive ? score + 0.2 : score));
  const comparedWith = {
    kind: 'models' as const,
    name: '../new',
    models: identity.models,
    threshold: 0.4,
    records: better,
  };

  test('differences are of the films that both analysed, by patient', () => {
    const { comparison } = reportOf({ comparedWith });
    expect(comparison).toMatchObject({ films: 79, patients: 79, onlyFirst: 1, onlySecond: 0 });
    expect(comparison!.auc.difference.value).toBeGreaterThan(0);
    expect(comparison!.auc.difference.interval![0]).toBeGreaterThan(0);
    const { positive, negative } = comparison!.calls;
    expect(positive.both + positive.first + positive.second + positive.neither).toBe(39);
    // Without the finding only the threshold is another: 0.5 calls k >= 13, 0.4 calls k >= 10.
    expect(negative).toEqual({ both: 14, first: 0, second: 6, neither: 20 });
    expect(comparison!.specificity).toMatchObject({ first: 26 / 40, second: 20 / 40 });
  });

  test('two thresholds of the same models', () => {
    const same = { ...comparedWith, kind: 'threshold' as const, records: recordsOf(({ score }) => score) };
    const { comparison } = reportOf({ comparedWith: same });
    expect(comparison!.auc.difference).toEqual({ value: 0, interval: null });
    expect(comparison!.sensitivity.difference.value).toBeGreaterThan(0);
    expect(comparison!.sensitivity.difference.interval).not.toBeNull();
  });

  test('no film in common is told, and nothing is made up', () => {
    const scored = { positive: true, score: 0.5, patient: 'p' };
    const options = { finding: 'COVID-19', threshold: 0.5, bootstrap: { rounds: 10, seed: 1 } };
    expect(compare([{ file: 'x', scored }], ['x'], options, { ...comparedWith, records: new Map() })).toMatchObject({
      films: 0,
      onlyFirst: 1,
      auc: { first: null, second: null, difference: { value: null, interval: null } },
    });
  });

  test('the table of films has a row for each, and computes nothing in a spreadsheet', () => {
    const protocol = protocolOf('threshold: 0.3');
    const input = { comparedWith, protocol };
    const text = filmsCsv(
      reportOf(input),
      readLabels(Buffer.from(CSV)),
      recordsOf(({ score }) => score),
      better,
    );
    const rows = parse(text, { columns: true }) as unknown as Record<string, string>[];
    expect(rows).toHaveLength(81);
    expect(rows[3]).toEqual({
      file: '3.dcm',
      label: '1',
      patient: "'=p3",
      state: 'analysed',
      reason: '',
      view: 'frontal',
      probability: '0.32',
      at_operating_point: 'false',
      at_proposed_threshold: 'true',
      compared_probability: '',
      compared_at_operating_point: '',
      counted: 'true',
      half: expect.stringMatching(/chosenOn|measuredOn/) as string,
    });
    expect(rows[80]).toMatchObject({
      file: 'lateral.dcm',
      state: 'not-analysed',
      reason: 'lateral-view',
      counted: 'false',
    });
  });

  test.each(LANGUAGE_NAMES)('the page says all of it in %s, and meets the schema', (language) => {
    const site = 'St. "X" </style><script>alert(1)</script> \\ Ñ';
    const protocol = protocolOf(
      `${WHOLE.replace('St. Example', '')}\n`.replace('site:', `site: ${JSON.stringify(site)}`),
    );
    const report = reportOf({ comparedWith, protocol });
    const words = wordsIn(language);
    const text = page(report, [], words);
    const flat = text.replace(/\s+/g, ' ').replaceAll('&#39;', "'").replaceAll('&quot;', '"');
    expect(text).not.toContain('<script');
    expect(text.match(/<\/style>/g)).toHaveLength(1);
    expect(flat).not.toMatch(/[{}]\w+}|undefined|NaN/);
    for (const key of [
      'evaluation.test.heading',
      'evaluation.acceptance.notMet',
      'evaluation.criterion.negativePredictiveValue',
      'evaluation.use.matrix',
      'evaluation.histogram.text',
      'evaluation.comparison.calls',
      'evaluation.signature.choices',
    ] as const)
      expect(flat).toContain(words.messages[key]);
    expect(text).toContain('<svg id="histogram"');
    expect(text).toContain('A. Physicist, medical physicist');
    const schema = JSON.parse(
      readFileSync(resolve(__dirname, '../../docs/evaluation-report.schema.json'), 'utf8'),
    ) as object;
    const isValid = new Ajv2020({ allErrors: true, strict: false }).compile(schema);
    isValid(JSON.parse(JSON.stringify(report)));
    expect(isValid.errors ?? []).toEqual([]);
  });
});
