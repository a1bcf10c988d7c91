import { mkdtempSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../src/base/config';
import { applyThreshold } from '../../src/evaluation/apply-threshold';
import { chooseOperatingPoint, half, thresholdFor } from '../../src/evaluation/operating-point';
import { thresholdFigures, type Scored } from '../../src/evaluation/statistics';

/** Positives score i/n, negatives half of that. */
const spread = (patients: number, films = 1): Scored[] =>
  Array.from({ length: 2 * patients * films }, (_, i) => ({ positive: i % 2 === 0, score: (i % 2 === 0 ? 1 : 0.5) * ((i * 7919) % 1000) / 1000, patient: `patient ${Math.floor(i / films)}` }));

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
  const films = Array.from({ length: 20 }, (_, i): Scored => ({ positive: true, score: (i + 1) / 100, patient: String(i) }));
  expect(thresholdFor(films, 0.95)).toBe(0.02);
});

test('no patient is in both halves, and the figures are those of the half that was not seen', () => {
  const films = spread(400, 2);
  const { patients, threshold, measured, objections } = chooseOperatingPoint(films, 0.9);
  const unseen = films.filter(({ patient }) => half(patient) === 'measuredOn');
  expect(threshold).toBe(thresholdFor(films.filter(({ patient }) => half(patient) === 'chosenOn'), 0.9));
  expect(measured).toEqual(thresholdFigures(unseen, threshold!));
  expect(patients.chosenOn.positive + patients.measuredOn.positive).toBe(new Set(films.filter(({ positive }) => positive).map(({ patient }) => patient)).size);
  expect(objections).toEqual([]);
});

test('many films of few patients are few patients', () => {
  expect(chooseOperatingPoint(spread(20, 50), 0.9).objections[0]).toContain('too few patients');
  expect(chooseOperatingPoint([], 0.9)).toMatchObject({ threshold: null, measured: null });
});

test('a sensitivity that does not hold on the other half is an objection', () => {
  const films = spread(400).map((film) => (film.positive && half(film.patient) === 'measuredOn' ? { ...film, score: film.score / 4 } : film));
  expect(chooseOperatingPoint(films, 0.9).objections).toEqual([expect.stringContaining('the sensitivity does not hold')]);
});

describe('--apply-threshold', () => {
  const CONFIG = '# ours\narchive:\n  url: http://orthanc:8042/dicom-web # the archive\nbroker: { url: "amqp://${env:HILUM_TEST_USER}@b" }\n\n# models below\nmodels:\n  threads: 2\n';
  const folder = () => {
    const dir = mkdtempSync(join(tmpdir(), 'hilum-apply-'));
    writeFileSync(join(dir, 'hilum.yaml'), CONFIG, { mode: 0o600 });
    return dir;
  };
  beforeAll(() => void (process.env['HILUM_TEST_USER'] = 'hilum'));
  afterAll(() => void delete process.env['HILUM_TEST_USER']);

  test('adds one key, changes it the next time, and leaves comments, secrets and rights as they are', async () => {
    const path = join(folder(), 'hilum.yaml');
    await applyThreshold(path, 0.25, readConfig);
    expect(readConfig(path).classification.threshold).toBe(0.25);
    await applyThreshold(path, 0.75, readConfig);
    const text = readFileSync(path, 'utf8');
    expect(text.replace(/classification:\n {2}threshold: 0.75\n/, '')).toBe(CONFIG);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('the file behind a link is written, not the link', async () => {
    const dir = folder();
    symlinkSync('hilum.yaml', join(dir, 'link.yaml'));
    await applyThreshold(join(dir, 'link.yaml'), 0.25, readConfig);
    expect(readFileSync(join(dir, 'hilum.yaml'), 'utf8')).toContain('threshold: 0.25');
    expect(readdirSync(dir).sort()).toEqual(['hilum.yaml', 'link.yaml']);
  });

  test('what would be no valid configuration is not written', async () => {
    const dir = folder();
    await expect(applyThreshold(join(dir, 'hilum.yaml'), 7, readConfig)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(readFileSync(join(dir, 'hilum.yaml'), 'utf8')).toBe(CONFIG);
    expect(readdirSync(dir)).toEqual(['hilum.yaml']);
  });
});
