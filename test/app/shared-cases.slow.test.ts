import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { FileResult } from '../../src/app/analyze-files';
import { decodePixels } from '../../src/dicom/pixels';
import { readPart10 } from '../../src/dicom/read';
import { WARNING_TEXTS } from '../../src/finding/wording';
import { pydicomAll } from '../support/servers/judges';

/** Odd films with the right value of each, read in place and never committed. HILUM_CASES_DIR names another folder. */
const CASES_DIR = process.env.HILUM_CASES_DIR ?? resolve(__dirname, '../../../shared/cases');
const haveCases = existsSync(CASES_DIR);
if (!haveCases) console.warn(`tests on the odd films are skipped: no ${CASES_DIR} (set HILUM_CASES_DIR)`);
const describeCases = haveCases ? describe : describe.skip;

interface Expected {
  /** The case whose probability it must have, and by how much it may differ. */
  readonly as?: string;
  readonly within?: number;
  readonly outcome?: FileResult['outcome'];
  /** What every result must carry. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** A sentence of the report. */
  readonly says?: string;
}

const CASES: Readonly<Record<string, Expected>> = {
  'base-film-covid': { outcome: 'analysed' },
  'base-film-normal': { outcome: 'analysed' },
  'patient-id-two-values': { as: 'base-film-covid', header: { PatientID: String.raw`1234\567` } },
  'no-window-control': { outcome: 'analysed' },
  'no-window-one-hot-pixel': { as: 'no-window-control', within: 0.02 },
  'padding-control': { outcome: 'analysed' },
  'padding-us-on-signed': { as: 'padding-control', within: 0.001 },
  'voi-lut-16-bits-holds-12': { as: 'base-film-covid', within: 0.001 },
  'vr-dashes': { as: 'base-film-covid' },
  'un-sequence-explicit-items': { as: 'base-film-covid' },
  'meta-says-explicit-data-implicit': { as: 'base-film-covid' },
  'charset-iso-dash-ir-192': { as: 'base-film-covid', header: { PatientName: [{ Alphabetic: 'Müller-Żółć^Jörg' }] } },
  'body-part-port-chest': { as: 'base-film-covid' },
  'body-part-skull-described-chest': { as: 'base-film-covid', says: WARNING_TEXTS['body-part-conflict'].slice(0, -1) },
  'other-ai-colour-overlay': { outcome: 'rejected' },
  'gsps-modality-cr': { outcome: 'rejected' },
};

describeCases('odd films of ../shared/cases', () => {
  const results = new Map<string, FileResult>();
  const out = mkdtempSync(join(tmpdir(), 'hilum-cases-'));

  beforeAll(() => {
    const cli = resolve(__dirname, '../../dist/cli.js');
    const { stdout } = spawnSync(process.execPath, [cli, 'analyze', CASES_DIR, '--out', out, '--json'], {
      encoding: 'utf8',
    });
    for (const line of stdout.trim().split('\n')) {
      const result = JSON.parse(line) as FileResult;
      results.set(basename(result.file, '.dcm'), { ...result, outputs: [...result.outputs].sort() });
    }
  }, 120_000);

  afterAll(() => rmSync(out, { recursive: true, force: true }));

  test('each has its line in the table', () => {
    expect(files()).toEqual(Object.keys(CASES).sort());
  });

  test.each(Object.entries(CASES))('%s', (name, expected) => {
    const { outcome, reason, probability, outputs } = results.get(name)!;
    expect([name, outcome, reason]).toEqual([
      name,
      expected.outcome ?? 'analysed',
      expected.outcome === 'rejected' ? expect.any(String) : null,
    ]);
    if (expected.as !== undefined)
      expect(Math.abs(probability! - results.get(expected.as)!.probability!)).toBeLessThanOrEqual(expected.within ?? 0);
    expect(outputs.map((path) => basename(path).split('-')[0])).toEqual(
      outcome === 'rejected' ? [] : ['heat', 'report'],
    );
    const objects = outputs.map((path) => readFileSync(path));
    if (objects.length > 0) expect(pydicomAll(objects)).toHaveLength(objects.length);
    for (const object of objects) expect(readPart10(object).attributes).toMatchObject(expected.header ?? {});
    if (expected.says !== undefined) expect(objects.at(-1)!.toString('utf8')).toContain(expected.says);
  });

  test('a VOI LUT that claims more bits than it fills: the heat map is as bright as that of its base', async () => {
    const brightness = async (name: string) => {
      const { values } = await decodePixels(readPart10(readFileSync(results.get(name)!.outputs[0]!)));
      return values.reduce((sum, value) => sum + value, 0) / values.length;
    };
    const [one, base] = [await brightness('voi-lut-16-bits-holds-12'), await brightness('base-film-covid')];
    expect(Math.abs(one - base)).toBeLessThan(0.01);
    expect(base).toBeGreaterThan(0.1);
  });
});

function files(): string[] {
  return readdirSync(CASES_DIR)
    .filter((file) => file.endsWith('.dcm'))
    .map((file) => basename(file, '.dcm'))
    .sort();
}
