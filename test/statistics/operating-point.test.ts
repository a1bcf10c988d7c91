import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../src/config/config';
import { applyThreshold } from '../../src/evaluation/apply-threshold';
import { chooseOperatingPoint, half, thresholdFor } from '../../src/statistics/operating-point';
import { type Scored, thresholdFigures } from '../../src/statistics/statistics';

/** Positives score i/n, negatives half of that. */
const spread = (patients: number, films = 1): Scored[] =>
  Array.from({ length: 2 * patients * films }, (_, i) => ({
    positive: i % 2 === 0,
    score: ((i % 2 === 0 ? 1 : 0.5) * ((i * 7919) % 1000)) / 1000,
    patient: `patient ${Math.floor(i / films)}`,
  }));

test('half of the patients is chosen by their hash: about even, and the same when others join', () => {
  const names = Array.from({ length: 1000 }, (_, i) => `p${i}`);
  const first = names.filter((name) => half(name) === 'chosenOn').length;
  expect(first).toBeGreaterThan(440);
  expect(first).toBeLessThan(560);
  expect(names.slice(0, 6).map(half)).toEqual(names.slice(0, 6).map(half));
});

test.each([0.5, 0.8, 0.9, 0.95, 0.99, 1])('the threshold is the highest that reaches a sensitivity of %d', (wanted) => {
  const films = spread(50);
  const threshold = thresholdFor(films, wanted)!;
  expect(thresholdFigures(films, threshold).sensitivity.value).toBeGreaterThanOrEqual(wanted);
  expect(thresholdFigures(films, threshold + 0.000_002).sensitivity.value).toBeLessThan(wanted);
});

test('95 % of 20 is 19, whatever the floating point says', () => {
  const films = Array.from({ length: 20 }, (_, i): Scored => ({
    positive: true,
    score: (i + 1) / 100,
    patient: String(i),
  }));
  expect(thresholdFor(films, 0.95)).toBe(0.02);
});

test('no patient is in both halves, and the figures are those of the half that was not seen', () => {
  const films = spread(400, 2);
  const { patients, threshold, measured, objections } = chooseOperatingPoint(films, 0.9);
  const unseen = films.filter(({ patient }) => half(patient) === 'measuredOn');
  expect(threshold).toBe(
    thresholdFor(
      films.filter(({ patient }) => half(patient) === 'chosenOn'),
      0.9,
    ),
  );
  expect(measured).toEqual(thresholdFigures(unseen, threshold!));
  expect(patients.chosenOn.positive + patients.measuredOn.positive).toBe(
    new Set(films.filter(({ positive }) => positive).map(({ patient }) => patient)).size,
  );
  expect(objections).toEqual([]);
});

test('many films of few patients are few patients', () => {
  expect(chooseOperatingPoint(spread(20, 50), 0.9).objections[0]).toContain('too few patients');
  expect(chooseOperatingPoint([], 0.9)).toMatchObject({ threshold: null, measured: null });
});

test('a sensitivity that does not hold on the other half is an objection', () => {
  const films = spread(400).map((film) =>
    film.positive && half(film.patient) === 'measuredOn' ? { ...film, score: film.score / 4 } : film,
  );
  expect(chooseOperatingPoint(films, 0.9).objections).toContainEqual(
    expect.stringContaining('the sensitivity does not hold'),
  );
});

test('a threshold at which films without the finding are called as often is an objection, however sensitive', () => {
  const blind = spread(400).map((film) => ({ ...film, score: 0.4 }));
  expect(chooseOperatingPoint(blind, 0.95)).toMatchObject({
    threshold: 0.4,
    objections: [expect.stringContaining('it tells nothing')],
  });
  expect(chooseOperatingPoint(spread(400), 0.95).objections).toEqual([]);
});

describe('--apply-threshold', () => {
  const CONFIG =
    '# ours\narchive:\n  url: http://orthanc:8042/dicom-web # the archive\n' +
    'broker: { url: "amqp://${env:HILUM_TEST_USER}@b" }\n\n# models below\nmodels:\n  threads: 2\n';
  const folder = () => {
    const dir = mkdtempSync(join(tmpdir(), 'hilum-apply-'));
    writeFileSync(join(dir, 'hilum.yaml'), CONFIG, { mode: 0o600 });
    return dir;
  };
  beforeAll(() => void (process.env['HILUM_TEST_USER'] = 'hilum'));
  afterAll(() => void delete process.env['HILUM_TEST_USER']);

  test('adds one key, changes it the next time, and leaves comments, secrets and rights as they are', async () => {
    const path = join(folder(), 'hilum.yaml');
    await applyThreshold(path, { threshold: 0.25, finding: null }, readConfig);
    expect(readConfig(path).classification.threshold).toBe(0.25);
    await applyThreshold(path, { threshold: 0.75, finding: null }, readConfig);
    const text = readFileSync(path, 'utf8');
    expect(text.replace(/classification:\n {2}threshold: 0.75\n/, '')).toBe(CONFIG);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  // Only root can give a file to somebody else.
  (process.geteuid?.() === 0 ? test : test.skip)(
    'applied by root, the file stays that of its owner and group',
    async () => {
      const path = join(folder(), 'hilum.yaml');
      chownSync(path, 0, 12_345);
      chmodSync(path, 0o640);
      await applyThreshold(path, { threshold: 0.25, finding: null }, readConfig);
      const { uid, gid, mode } = statSync(path);
      expect([uid, gid, mode & 0o777]).toEqual([0, 12_345, 0o640]);
    },
  );

  test("another finding's threshold goes into its rule, which is added where there is none", async () => {
    const path = join(folder(), 'hilum.yaml');
    await applyThreshold(path, { threshold: 0.25, finding: 'lung opacity' }, readConfig);
    await applyThreshold(path, { threshold: 0.4, finding: 'tuberculosis' }, readConfig);
    await applyThreshold(path, { threshold: 0.3, finding: 'lung opacity' }, readConfig);
    expect(readConfig(path).findings.rules).toEqual([
      { finding: 'lung opacity', threshold: 0.3, priority: 'urgent' },
      { finding: 'tuberculosis', threshold: 0.4, priority: 'urgent' },
    ]);
    expect(readFileSync(path, 'utf8')).toContain('# the archive');
  });

  const written = async (text: string) => {
    const path = join(folder(), 'hilum.yaml');
    writeFileSync(path, text);
    await applyThreshold(path, { threshold: 0.25, finding: null }, () => undefined);
    return readFileSync(path, 'utf8');
  };

  test.each([
    [
      'four blanks, empty lines, wide spacing',
      '# a\narchive:\n    url: "http://a/"   # x\n\n\nbroker:\n    url:   amqp://b\n# end\n',
      (text: string) => `${text}classification:\n  threshold: 0.25\n`,
    ],
    [
      'line ends of Windows',
      'archive:\r\n  url: http://a/\r\n',
      (text: string) => `${text}classification:\r\n  threshold: 0.25\r\n`,
    ],
    ['no line end at the end', 'a: [1,2,   3]', (text: string) => `${text}\nclassification:\n  threshold: 0.25\n`],
    [
      'a threshold that is there',
      'classification:   # c\n    # why\n    threshold: 0.40   # of 2025\n    x: 1\n',
      (text: string) => text.replace('0.40', '0.25'),
    ],
    [
      'a section that is there',
      'b: {x: 1}\nclassification:\n    shortcutAudit: y  # z\nc:   2\n',
      (text: string) => text.replace('    shortcut', '    threshold: 0.25\n    shortcut'),
    ],
    [
      'a section in braces',
      'classification: {shortcutAudit: y}   # z\n',
      (text: string) => text.replace('{', '{"threshold": 0.25, '),
    ],
    [
      'JSON',
      '{\n  "archive": {"url": "x"}\n}\n',
      (text: string) => text.replace('{', '{"classification": {"threshold": 0.25}, '),
    ],
    ['nothing', '', () => 'classification:\n  threshold: 0.25\n'],
  ])('%s: only the one key is touched', async (_name, text, expected) =>
    expect(await written(text)).toBe(expected(text)),
  );

  test('an empty section, or a mark for the end, is no obstacle', async () => {
    expect(await written('a: 1 # one\nclassification:\n')).toMatch(
      /^a: 1 # one\nclassification:\n {2}threshold: 0.25\n$/,
    );
    expect(await written('---\na: 1 # one\n...\n')).toBe('---\na: 1 # one\nclassification:\n  threshold: 0.25\n...\n');
  });

  test('the file behind a link is written, not the link', async () => {
    const dir = folder();
    symlinkSync('hilum.yaml', join(dir, 'link.yaml'));
    await applyThreshold(join(dir, 'link.yaml'), { threshold: 0.25, finding: null }, readConfig);
    expect(readFileSync(join(dir, 'hilum.yaml'), 'utf8')).toContain('threshold: 0.25');
    expect(readdirSync(dir).sort()).toEqual(['hilum.yaml', 'link.yaml']);
  });

  test('what would be no valid configuration is not written', async () => {
    const dir = folder();
    const wrong = applyThreshold(join(dir, 'hilum.yaml'), { threshold: 7, finding: null }, readConfig);
    await expect(wrong).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
    expect(readFileSync(join(dir, 'hilum.yaml'), 'utf8')).toBe(CONFIG);
    expect(readdirSync(dir)).toEqual(['hilum.yaml']);
  });
});
