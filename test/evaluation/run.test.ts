import Ajv2020 from 'ajv/dist/2020';
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ageBand, factsOf, groupsOf } from '../../src/evaluation/header-facts';
import { analysisDigest, openFilmJournal } from '../../src/evaluation/journal';
import { readLabels } from '../../src/evaluation/labels';
import { worstMistakes } from '../../src/evaluation/mistakes';
import { page } from '../../src/evaluation/page';
import { patientsOf } from '../../src/evaluation/patients';
import { type EvaluationInput, makeReport } from '../../src/evaluation/report';
import { analyseFiles, inside } from '../../src/evaluation/run';
import { unlabelledFiles } from '../../src/evaluation/unlabelled';
import { LANGUAGE_NAMES } from '../../src/language/languages';
import { wordsIn } from '../../src/language/words';
import { syntheticDicom } from '../../src/objects/synthetic-film';
import type { Pipeline } from '../../src/pipeline/pipeline';
import { fakePipeline } from '../support/pipeline/fake-pipeline';

const SMALL = { rows: 96, columns: 80 } as const;
const FILES = ['a.dcm', 'deep/b.dcm', 'c.dcm'];
const DRAWN = FILES.map((_, seed) => syntheticDicom({ seed, view: seed === 2 ? 'LL' : 'PA', ...SMALL }));

function films(): { folder: string; out: string } {
  const dir = mkdtempSync(join(tmpdir(), 'hilum-evaluation-'));
  const [folder, out] = [join(dir, 'films'), join(dir, 'out')];
  mkdirSync(join(folder, 'deep'), { recursive: true });
  FILES.forEach((file, i) => writeFileSync(join(folder, file), DRAWN[i]!));
  return { folder, out };
}

async function run(folder: string, out: string, pipeline: Pipeline, files = FILES) {
  const journal = await openFilmJournal(out, pipeline.identity());
  let worked = 0;
  const { records, ...rest } = await analyseFiles(folder, files, {
    runs: [{ pipeline, journal }],
    wantsPatients: true,
    onFilm: () => void worked++,
  });
  await journal.close();
  return { ...rest, records: records[0]!, worked, lines: readFileSync(journal.path, 'utf8').trim().split('\n') };
}

test('files without a label: links that lead in a circle are not followed, linked files count once', async () => {
  const { folder } = films();
  symlinkSync('..', join(folder, 'deep', 'up'));
  symlinkSync('.', join(folder, 'again'));
  symlinkSync('a.dcm', join(folder, 'link.dcm'));
  const rows = [{ file: 'a.dcm' }, { file: 'again/c.dcm' }];
  expect(await unlabelledFiles(folder, rows, [])).toEqual(['c.dcm', 'deep/b.dcm', 'link.dcm']);
});

test('each film has a line; a second run has nothing to do', async () => {
  const { folder, out } = films();
  const first = await run(folder, out, fakePipeline({ probability: 0.7 }).pipeline);
  expect(
    [...first.records.values()].map(({ file, outcome, probabilities, reason }) => [
      file,
      outcome,
      probabilities['COVID-19']?.toFixed(2) ?? null,
      reason,
    ]),
  ).toEqual([
    ['a.dcm', 'analysed', '0.70', null],
    ['deep/b.dcm', 'analysed', '0.70', null],
    ['c.dcm', 'not-analysed', null, 'lateral-view'],
  ]);
  expect(first.records.get('a.dcm')).toMatchObject({
    kind: 'dicom',
    facts: { sex: 'O', view: 'PA', manufacturer: 'Hilum' },
  });
  expect(first.lines).toHaveLength(4);
  const { pipeline, seen } = fakePipeline({ probability: 0.1 });
  const second = await run(folder, out, pipeline);
  expect([second.worked, seen.length]).toEqual([0, 0]);
  expect(second.lines).toEqual(first.lines);
  expect([...second.records]).toEqual([...first.records]);
});

test('nothing about the patient is written', async () => {
  const { folder, out } = films();
  const { pipeline } = fakePipeline();
  const { lines, patients } = await run(folder, out, pipeline);
  expect(lines.join('\n')).not.toMatch(/SYNTHETIC-|Synthetic\^Film|patient/);
  // Nor a digest of it; whose films they are is read from their headers again.
  expect([...patients.keys()]).toEqual(FILES);
  for (const digest of patients.values()) expect(lines.join('\n')).not.toContain(digest);
  expect((await run(folder, out, pipeline)).patients).toEqual(patients);
  const report = await reportOf('file,label\na.dcm,1\ndeep/b.dcm,0\nc.dcm,1\n', folder, out, pipeline);
  for (const digest of patients.values()) expect(JSON.stringify(report)).not.toContain(digest);
  expect(report.films.map(({ patient }) => patient)).toEqual(['patient 1', 'patient 2']);
});

test('a line that a kill cut off is dropped and its film done again', async () => {
  const { folder, out } = films();
  const { pipeline } = fakePipeline();
  await run(folder, out, pipeline, FILES.slice(0, 1));
  const path = join(out, readdirSync(out)[0]!);
  const before = readFileSync(path, 'utf8');
  appendFileSync(path, '{"file":"deep/b.dcm","bytes":12,"outc');
  const { worked, lines } = await run(folder, out, pipeline);
  expect(worked).toBe(2);
  expect(`${lines.slice(0, 2).join('\n')}\n`).toBe(before);
  expect(lines.slice(1).map((text) => (JSON.parse(text) as { file: string }).file)).toEqual(FILES);
});

test('a file that was changed is done again, one with another date only is not, and what other models computed is not taken', async () => {
  const { folder, out } = films();
  const { pipeline } = fakePipeline();
  await run(folder, out, pipeline);
  const touch = (): void => utimesSync(join(folder, 'a.dcm'), new Date(), new Date(Date.now() + 5_000));
  touch();
  expect((await run(folder, out, pipeline)).worked).toBe(0);
  const changed = Uint8Array.from(DRAWN[0]!);
  changed[changed.length - 1]! ^= 1;
  writeFileSync(join(folder, 'a.dcm'), changed);
  touch();
  expect((await run(folder, out, pipeline)).worked).toBe(1);
  const other: Pipeline = {
    ...pipeline,
    identity: () => ({
      ...pipeline.identity(),
      models: pipeline.identity().models.map((model) => ({ ...model, sha256: 'b'.repeat(64) })),
    }),
  };
  expect((await run(folder, out, other)).worked).toBe(3);
  expect(readdirSync(out)).toHaveLength(2);
  expect((await run(folder, out, pipeline)).worked).toBe(0);
  const moved = { ...pipeline.identity(), findings: [{ ...pipeline.identity().findings[0]!, operatingPoint: 0.9 }] };
  expect(analysisDigest(moved)).toBe(analysisDigest(pipeline.identity()));
});

test('files that are not there or lead out of the folder fail by themselves and are not remembered', async () => {
  const { folder, out } = films();
  const { failures, records, lines } = await run(folder, out, fakePipeline().pipeline, [
    '../out/x.dcm',
    'none.dcm',
    'deep',
    'a.dcm',
  ]);
  expect(failures).toEqual([
    { file: '../out/x.dcm', why: 'outside the folder of films' },
    { file: 'none.dcm', why: 'no such file' },
    { file: 'deep', why: 'no such file' },
  ]);
  expect([records.size, lines.length]).toEqual([1, 2]);
  expect(inside('/films', 'deep\\a.dcm')).toBe('/films/deep/a.dcm');
  expect(inside('/films', '/films/a.dcm')).toBe('/films/a.dcm');
  expect(inside('/films', '/films2/a.dcm')).toBeNull();
});

test('the report joins labels and films, and its page escapes what they say', async () => {
  const { folder, out } = films();
  const { pipeline } = fakePipeline({ probability: 0.7 });
  const csv = Buffer.from(
    'file,label,ward\na.dcm,1,<script>alert(1)</script>\ndeep/b.dcm,0,B\nc.dcm,1,B\nnone.dcm,0,B\n',
  );
  const labels = readLabels(csv);
  const { records, failures, patients } = await run(
    folder,
    out,
    pipeline,
    labels.films.map(({ file }) => file),
  );
  const report = makeReport({
    labels,
    labelsSha256: 'x',
    records,
    patients,
    failures,
    identity: pipeline.identity(),
    unlabelled: [],
    protocol: null,
    comparedWith: null,
    now: new Date(0),
    finding: 'COVID-19',
    settings: { threshold: 0.5, thresholdFrom: 'model', wantedSensitivity: 0.95, bootstrap: { rounds: 20, seed: 1 } },
  });
  expect(report.counts).toEqual({
    labelled: 4,
    analysed: 2,
    positive: 1,
    negative: 1,
    patients: 2,
    withoutHeader: 0,
    withoutPatient: 0,
    mostOfOnePatient: 1,
  });
  expect(report.atOperatingPoint.confusion).toEqual({
    truePositive: 1,
    falseNegative: 0,
    falsePositive: 1,
    trueNegative: 0,
  });
  // c.dcm has the finding and is lateral
  expect(report.sensitivityWithLeftOut).toMatchObject({ value: 0.5, hits: 1, n: 2 });
  expect(report.excluded).toEqual([
    { reason: 'lateral-view', positive: 1, negative: 0, files: ['c.dcm'] },
    { reason: 'no such file', positive: 0, negative: 1, files: ['none.dcm'] },
  ]);
  expect(report.subgroups.map(({ name }) => name)).toEqual(['sex', 'view', 'manufacturer', 'ward']);
  expect(report.choice.objections[0]).toContain('too few patients');
  const html = page(report, [{ kind: 'false-alarm', file: 'deep/"b".dcm', probability: 0.7, png: null }]).replace(
    /\s+/g,
    ' ',
  );
  expect(html).not.toContain('<script');
  expect(html).toContain('count as missed, the sensitivity at the operating point is 50.0 %');
  expect(html).toContain('&lt;script&gt;');
  expect(html).toContain('deep/&quot;b&quot;.dcm');
  for (const id of ['roc', 'precision-recall', 'calibration']) expect(html).toContain(`<svg id="${id}"`);
});

async function reportOf(
  csv: string,
  folder: string,
  out: string,
  pipeline = fakePipeline({ probability: 0.7 }).pipeline,
  { protocol = null, comparedWith = null }: Partial<Pick<EvaluationInput, 'protocol' | 'comparedWith'>> = {},
) {
  const labels = readLabels(Buffer.from(csv));
  const { records, failures, patients } = await run(
    folder,
    out,
    pipeline,
    labels.films.map(({ file }) => file),
  );
  const unlabelled = await unlabelledFiles(folder, labels.films, [out]);
  return makeReport({
    labels,
    labelsSha256: 'x',
    records,
    patients,
    failures,
    identity: pipeline.identity(),
    unlabelled,
    protocol,
    comparedWith,
    now: new Date(0),
    finding: 'COVID-19',
    settings: { threshold: 0.5, thresholdFrom: 'model', wantedSensitivity: 0.95, bootstrap: { rounds: 20, seed: 1 } },
  });
}

test('the same film under another name counts once, and not at all where its labels contradict', async () => {
  const { folder, out } = films();
  for (const name of ['a2.dcm', 'a3.dcm']) copyFileSync(join(folder, 'a.dcm'), join(folder, name));
  const twice = await reportOf('file,label,patient\na.dcm,1,p1\na2.dcm,1,p2\ndeep/b.dcm,0,p3\n', folder, out);
  expect(twice.films.map(({ file }) => file)).toEqual(['a.dcm', 'deep/b.dcm']);
  expect(twice.sensitivityWithLeftOut).toMatchObject({ hits: 1, n: 1 });
  expect(twice.excluded).toEqual([
    { reason: 'same content as another film', positive: 1, negative: 0, files: ['a2.dcm'] },
  ]);
  const against = await reportOf('file,label,patient\na.dcm,1,p1\na3.dcm,0,p2\ndeep/b.dcm,0,p3\n', folder, out);
  expect(against.films.map(({ file }) => file)).toEqual(['deep/b.dcm']);
  expect(against.excluded).toEqual([
    {
      reason: 'same content as another film, labelled otherwise',
      positive: 1,
      negative: 1,
      files: ['a.dcm', 'a3.dcm'],
    },
  ]);
});

test('every film that is left out is named, and every file that no row names', async () => {
  const { folder } = films();
  const missing = Array.from({ length: 9 }, (_, i) => `none-${i}.dcm`);
  const report = await reportOf(
    `file,label\ndeep\\b.dcm,1\n${missing.map((file) => `${file},0\n`).join('')}`,
    folder,
    join(folder, 'out'),
  );
  expect(report.excluded).toEqual([{ reason: 'no such file', positive: 0, negative: 9, files: missing }]);
  expect(report.unlabelled).toEqual(['a.dcm', 'c.dcm']);
  const html = page(report, []);
  expect(html).toContain('none-4.dcm and 4 more');
  expect(html).toContain('2 files in the folder of films have no row in the labels file');
});

test.each(LANGUAGE_NAMES)(
  'the page in %s: the same figures, nothing left to fill in, nothing of another language',
  async (language) => {
    const { folder, out } = films();
    const csv =
      'file,label,patient,ward\na.dcm,1,p1,A\ndeep/b.dcm,0,p2,\nc.dcm,1,p3,B\nc.dcm,1,p3,B\nnone.dcm,0,p4,B\n';
    const report = await reportOf(csv, folder, out);
    const words = wordsIn(language);
    const pictures = [{ kind: 'false-alarm' as const, file: 'deep/b.dcm', probability: 0.7, png: null }];
    const text = page(report, pictures, words);
    const flat = text.replace(/\s+/g, ' ').replaceAll('&#39;', "'").replaceAll('&quot;', '"');
    expect(text).toContain(`<html lang="${language}">`);
    expect(flat).not.toMatch(/[{}]\w+}|undefined/);
    for (const key of [
      'research.sentence',
      'evaluation.keep',
      'evaluation.limits.elsewhere',
      'evaluation.figures.sensitivity',
      'leftOut.noFile',
      'evaluation.group.sex',
      'evaluation.subgroups.notSaid',
      'evaluation.mistakes.unreadable',
    ] as const)
      expect(flat).toContain(words.messages[key]);
    expect(flat).toContain((words.messages['labels.same'] as string).replace('{line}', '4'));
    expect(flat).toContain(language === 'en' ? '0.500000' : '0,500000');
    const digits = (html: string) => html.replaceAll(',', '.').match(/\d+\.\d+/g);
    expect(digits(text)).toEqual(digits(page(report, pictures)));
  },
);

describe('docs/evaluation-report.schema.json', () => {
  const schema = JSON.parse(readFileSync(resolve(__dirname, '../../docs/evaluation-report.schema.json'), 'utf8')) as {
    required: string[];
  };
  const isValid = new Ajv2020({ allErrors: true, strict: false }).compile(schema);

  test.each([
    ['all there', 'file,label,ward\na.dcm,1,A\ndeep/b.dcm,0,B\nc.dcm,1,B\nc.dcm,1,B\n'],
    ['one class left, nothing to choose from', 'file,label\nc.dcm,1\na.dcm,0\n'],
    ['no film', 'file,label\nnone.dcm,1\nneither.dcm,0\n'],
  ])('is met: %s', async (_name, csv) => {
    const { folder, out } = films();
    const report = await reportOf(csv, folder, out);
    isValid(JSON.parse(JSON.stringify(report)));
    expect(isValid.errors ?? []).toEqual([]);
    expect(page(report, [])).toContain('Research use only');
  });

  test('names every key, and refuses any other', async () => {
    const { folder, out } = films();
    const report = await reportOf('file,label\na.dcm,1\ndeep/b.dcm,0\n', folder, out);
    expect(Object.keys(report).sort()).toEqual([...schema.required].sort());
    expect(isValid({ ...(JSON.parse(JSON.stringify(report)) as object), more: 1 })).toBe(false);
  });
});

test('rows without a patient take that of the same header ID; an ID in films of several patients tells nothing', () => {
  const joined = (
    [
      ['a', 'p1', 'x'],
      ['b', null, 'x'],
      ['c', 'p2', 'same'],
      ['d', 'p3', 'same'],
      ['e', null, 'same'],
      ['f', null, null],
      ['g', null, 'y'],
      ['h', null, 'y'],
    ] as const
  ).map(([file, patient, header]) => ({
    label: { file, patient, positive: true, groups: {}, line: 2 },
    record: undefined,
    headerPatient: header,
  }));
  const found = patientsOf(joined);
  const ids = [...found.values()].map(({ patient }) => patient);
  expect(ids.map((id) => ids.indexOf(id))).toEqual([0, 0, 2, 3, 4, 5, 6, 6]);
  expect([...found].filter(([, { isUnknown }]) => isUnknown).map(([file]) => file)).toEqual(['f']);
});

test('one Patient ID for all, as after an export, is said and gives no interval', async () => {
  const { folder, out } = films();
  const names = Array.from({ length: 12 }, (_, i) => `s${i}.dcm`);
  names.forEach((name, seed) => writeFileSync(join(folder, name), syntheticDicom({ seed, view: 'PA', ...SMALL })));
  const report = await reportOf(
    `file,label,patient\n${names.map((name, i) => `${name},${i % 2},ANON\n`).join('')}`,
    folder,
    out,
  );
  expect(report.counts).toMatchObject({ analysed: 12, patients: 1, mostOfOnePatient: 12 });
  expect(report.auc.interval).toBeNull();
  expect(page(report, [])).toContain('12 of the 12 films count as one patient');
});

test('columns of the labels file join what headers say, in whatever case; ages become bands', () => {
  const facts = { sex: 'F', age: '40-59', view: 'PA' } as const;
  expect(groupsOf(facts, { Sex: '', AGE: '71', Ward: 'B' })).toEqual({ sex: 'F', age: '60-79', view: 'PA', Ward: 'B' });
  expect(['009M', '39,5', '81Y', 'old', ''].map((age) => groupsOf({}, { age })['age'])).toEqual([
    '0-17',
    '18-39',
    '81Y',
    'old',
    undefined,
  ]);
  expect(groupsOf({}, { age: '081Y', sex: 'M' })).toEqual({ age: '80 and over', sex: 'M' });
});

test('the worst mistakes are those farthest on the wrong side', () => {
  const of = (positive: boolean, probability: number) => ({
    file: `${positive} ${probability}`,
    positive,
    probability,
  });
  const { missed, falseAlarms } = worstMistakes(
    [of(true, 0.4), of(true, 0.1), of(true, 0.5), of(false, 0.6), of(false, 0.9), of(false, 0.2)],
    0.5,
    2,
  );
  expect(missed.map(({ probability }) => probability)).toEqual([0.1, 0.4]);
  expect(falseAlarms.map(({ probability }) => probability)).toEqual([0.9, 0.6]);
});

test('ages are told in bands only, from the age or the birth date of the header', () => {
  expect([0, 17.9, 18, 59, 80, 104].map(ageBand)).toEqual([
    '0-17',
    '0-17',
    '18-39',
    '40-59',
    '80 and over',
    '80 and over',
  ]);
  expect(factsOf({ PatientAge: '009M', InstitutionName: 'North' })).toEqual({ age: '0-17', institution: 'North' });
  expect(factsOf({ PatientBirthDate: '19600601', StudyDate: '20200531' })).toEqual({ age: '40-59' });
  expect(factsOf({ PatientBirthDate: '2020', StudyDate: '20200531', PatientAge: 'old' })).toEqual({});
});
