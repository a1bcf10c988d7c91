import { cpSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { modelsSchema } from '../../src/model/config';
import { modelsOfFolder } from '../../src/app/models-of-folder';

const SHIPPED = resolve(__dirname, '../../models');

function folder(...ours: string[]): string {
  const dir = mkdtempSync(join(tmpdir(), 'hilum-models-'));
  for (const id of ours) symlinkSync(join(SHIPPED, id), join(dir, id));
  return dir;
}

function own(dir: string, id: string): void {
  cpSync(join(SHIPPED, 'findings-lite0'), join(dir, id), { recursive: true });
  const path = join(dir, id, 'manifest.json');
  writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, 'utf8')) as object), id }));
}

const OTHERS = ['view-lite0', 'gate-lite0', 'lungs-unet16'] as const;

test("a site's own classifier runs where ours is not beside it; that of the shortcut check does not count", () => {
  const dir = folder(...OTHERS, 'findings-lite0-removed');
  own(dir, 'mine');
  const said: string[] = [];
  expect(modelsOfFolder(dir, (text) => said.push(text))).toMatchObject({
    dir,
    view: 'view-lite0',
    gate: 'gate-lite0',
    lungs: 'lungs-unet16',
    classifiers: ['mine'],
  });
  expect(said).toEqual([]);
});

test('beside ours it does not, and that is said', () => {
  const dir = folder(...OTHERS, 'findings-lite0');
  own(dir, 'mine');
  const said: string[] = [];
  expect(modelsOfFolder(dir, (text) => said.push(text)).classifiers).toEqual(['findings-lite0']);
  expect(said).toEqual([expect.stringContaining('runs findings-lite0, not mine')]);
});

test("two of one's own, or none, are refused", () => {
  const dir = folder(...OTHERS);
  expect(() => modelsOfFolder(dir, () => undefined)).toThrow(/no model for the task classification/);
  for (const id of ['mine', 'yours']) own(dir, id);
  expect(() => modelsOfFolder(dir, () => undefined)).toThrow(/several models for the task classification: mine, yours/);
});

test("one with a manifest that can't be used is named, also where ours runs instead", () => {
  const dir = folder(...OTHERS, 'findings-lite0');
  own(dir, 'mine');
  writeFileSync(join(dir, 'mine/manifest.json'), '{');
  const said: string[] = [];
  expect(modelsOfFolder(dir, (text) => said.push(text)).classifiers).toEqual(['findings-lite0']);
  expect(said).toEqual([expect.stringMatching(/^mine is left out: MODEL_INVALID: .*manifest.json is not JSON/)]);
});

test('no folder: those that come with Hilum', () =>
  expect(modelsOfFolder(undefined, () => undefined)).toEqual(modelsSchema.parse({})));
