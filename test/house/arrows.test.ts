import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/** Rooms from bottom to top; an import may go down or stay inside its room. docs/architecture.md draws the same. */
const FLOORS = ['base', 'dicom', 'model', 'pipeline', 'client', 'evaluation', 'results', 'delivery', 'list', 'web', 'listener', 'catch-up', 'triage', 'app', 'commands', 'main', 'cli'];
const ALLOWED: Record<string, readonly string[]> = {
  base: [],
  dicom: ['base'],
  model: ['base', 'dicom'],
  pipeline: ['model', 'dicom', 'base'],
  client: ['dicom', 'base'],
  evaluation: ['pipeline', 'model', 'dicom', 'base'],
  results: ['pipeline', 'dicom', 'base'],
  delivery: ['results', 'pipeline', 'dicom', 'base'],
  list: ['results', 'pipeline', 'dicom', 'base'],
  web: ['list', 'delivery', 'results', 'pipeline', 'model', 'dicom', 'base'],
  listener: ['pipeline', 'model', 'dicom', 'base'],
  'catch-up': ['listener', 'dicom', 'base'],
  triage: ['listener', 'dicom', 'base'],
  app: ['catch-up', 'triage', 'listener', 'web', 'list', 'delivery', 'results', 'evaluation', 'pipeline', 'client', 'model', 'dicom', 'base'],
  commands: ['app', 'list', 'delivery', 'results', 'evaluation', 'client', 'pipeline', 'model', 'dicom', 'base'],
  main: ['app', 'base'],
  cli: ['main', 'commands', 'app', 'base'],
};

const SRC = resolve(__dirname, '../../src');
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

const imports: Import[] = files.flatMap((file) => {
  const text = readFileSync(join(SRC, file), 'utf8');
  const found = [...text.matchAll(/(?:^|\n)(?:import|export)\s+(type\s+)?[^;]*?from\s+'(\.[^']+)'|import\('(\.[^']+)'\)/g)];
  return found.map((match) => ({ from: file, to: relative(SRC, resolve(SRC, dirname(file), (match[2] ?? match[3])!.replace(/\.js$/, ''))), typeOnly: match[1] !== undefined }));
});

const room = (file: string) => file.split('/')[0]!.replace(/\.ts$/, '');

test('every room is known', () => {
  expect([...new Set(files.map(room))].filter((name) => !FLOORS.includes(name))).toEqual([]);
});

test('no import runs up', () => {
  expect(imports.length).toBeGreaterThan(20);
  const up = imports.filter(({ from, to }) => room(from) !== room(to) && !ALLOWED[room(from)]!.includes(room(to)));
  // client may name the shapes it has to fit, as types only: nothing of the pipeline is loaded by it.
  expect(up.filter(({ from, to, typeOnly }) => !(typeOnly && room(from) === 'client' && to === 'pipeline/stage'))).toEqual([]);
});

test('no import goes in a circle', () => {
  const next = new Map<string, string[]>();
  for (const { from, to, typeOnly } of imports) if (!typeOnly) next.set(from.replace(/\.ts$/, ''), [...(next.get(from.replace(/\.ts$/, '')) ?? []), to]);
  const circles: string[] = [];
  const walk = (file: string, path: readonly string[]) => {
    if (path.includes(file)) return void circles.push([...path, file].join(' -> '));
    for (const to of next.get(file) ?? []) walk(to, [...path, file]);
  };
  for (const file of next.keys()) walk(file, []);
  expect(circles).toEqual([]);
});

test('only model/ imports an inference engine, only client/ a wire, only list/ a database', () => {
  const users = (name: string) => files.filter((file) => new RegExp(`from '${name}'`).test(readFileSync(join(SRC, file), 'utf8'))).map(room);
  expect(new Set(users('onnxruntime-node'))).toEqual(new Set(['model']));
  expect(new Set(files.filter((file) => readFileSync(join(SRC, file), 'utf8').includes('@tensorflow/')).map(room))).toEqual(new Set(['model']));
  for (const database of ['kysely', 'libsql', 'pg']) expect(new Set(users(database))).toEqual(new Set(['list']));
  for (const wire of ['amqplib', 'amqp-connection-manager', 'undici', 'nodemailer']) expect(new Set(users(wire)).size === 0 || [...new Set(users(wire))].every((name) => name === 'client')).toBe(true);
});

test('only evaluation/ reads labels and pictures, and its figures know neither files nor films', () => {
  const users = (name: string) => files.filter((file) => readFileSync(join(SRC, file), 'utf8').includes(`from '${name}'`));
  for (const library of ['csv-parse/sync', 'pngjs']) expect(new Set(users(library).map(room))).toEqual(new Set(['evaluation']));
  const pure = ['statistics', 'weighted', 'bootstrap', 'curves', 'operating-point', 'subgroups'].map((name) => `evaluation/${name}`);
  const leaving = imports.filter(({ from, to }) => pure.includes(from.replace(/\.ts$/, '')) && ![...pure, 'base/wilson'].includes(to));
  expect(leaving).toEqual([]);
  for (const file of pure) expect(readFileSync(join(SRC, `${file}.ts`), 'utf8')).not.toMatch(/from 'node:(?!crypto)/);
});
