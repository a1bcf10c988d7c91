import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/**
 * What each room may import, from the bottom up; inside a room everything is allowed but a circle. docs/architecture.md
 * draws the same.
 */
const ALLOWED: Record<string, readonly string[]> = {
  base: [],
  language: [],
  dicom: ['base'],
  imaging: ['dicom'],
  net: ['base'],
  hl7: ['net', 'dicom', 'base'],
  tracing: ['net', 'base'],
  events: ['dicom', 'base'],
  finding: ['events', 'dicom'],
  statistics: ['finding'],
  model: ['events', 'imaging', 'base'],
  objects: ['finding', 'events', 'imaging', 'dicom', 'base'],
  archive: ['net', 'dicom', 'base'],
  queue: ['net', 'events', 'dicom', 'base'],
  pipeline: ['objects', 'model', 'finding', 'events', 'imaging', 'dicom', 'base'],
  sinks: ['queue', 'objects', 'finding', 'events', 'hl7', 'net', 'dicom', 'language', 'base'],
  evaluation: ['pipeline', 'objects', 'finding', 'events', 'statistics', 'dicom', 'language', 'base'],
  monitoring: ['pipeline', 'model', 'events', 'statistics', 'dicom', 'base'],
  triage: ['events', 'dicom', 'base'],
  'catch-up': ['objects', 'events', 'dicom', 'base'],
  ris: ['hl7', 'events', 'net', 'base'],
  worklist: ['ris', 'sinks', 'objects', 'finding', 'events', 'statistics', 'dicom', 'base'],
  'study-consumer': ['queue', 'events', 'dicom', 'base'],
  web: ['worklist', 'sinks', 'pipeline', 'objects', 'finding', 'events', 'imaging', 'net', 'dicom', 'language', 'base'],
  config: [
    'web',
    'worklist',
    'ris',
    'catch-up',
    'triage',
    'monitoring',
    'sinks',
    'pipeline',
    'queue',
    'archive',
    'model',
    'finding',
    'tracing',
    'language',
    'base',
  ],
  app: [
    'config',
    'web',
    'worklist',
    'ris',
    'study-consumer',
    'catch-up',
    'triage',
    'monitoring',
    'evaluation',
    'sinks',
    'pipeline',
    'queue',
    'archive',
    'objects',
    'model',
    'finding',
    'events',
    'tracing',
    'hl7',
    'net',
    'dicom',
    'language',
    'base',
  ],
  main: ['app', 'config', 'base'],
  cli: ['main', 'app', 'config', 'evaluation', 'finding', 'dicom', 'language', 'base'],
};

const SRC = resolve(__dirname, '../../src');
/** The pages are built by themselves, for the browser. */
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.ts') && !name.startsWith('web/pages/'),
);

interface Import {
  readonly from: string;
  readonly to: string;
}

const fileOf = (module: string) =>
  ['.ts', '.d.ts', '/index.ts'].map((ending) => `${module}${ending}`).find((file) => existsSync(join(SRC, file))) ??
  module;

/** Imports of types count as well: who knows a type depends on its room. */
const imports: Import[] = files.flatMap((file) => {
  const text = readFileSync(join(SRC, file), 'utf8');
  const found = [...text.matchAll(/(?:^|\n)(?:import|export)\s+[^;]*?from\s+'(\.[^']+)'|import\('(\.[^']+)'\)/g)];
  return found.map((match) => ({
    from: file,
    to: fileOf(relative(SRC, resolve(SRC, dirname(file), (match[1] ?? match[2])!.replace(/\.js$/, '')))),
  }));
});

const room = (file: string) => file.split('/')[0]!.replace(/\.ts$/, '');

test('every room is known, and the table goes from the bottom up', () => {
  const rooms = Object.keys(ALLOWED);
  expect([...new Set(files.map(room))].sort()).toEqual([...rooms].sort());
  const up = rooms.flatMap((name, floor) =>
    ALLOWED[name]!.filter((other) => rooms.indexOf(other) >= floor).map((other) => `${name} -> ${other}`),
  );
  expect(up).toEqual([]);
});

test('no import runs up, types included', () => {
  expect(imports.length).toBeGreaterThan(20);
  const up = imports.filter(({ from, to }) => room(from) !== room(to) && !ALLOWED[room(from)]!.includes(room(to)));
  expect(up).toEqual([]);
});

test('no arrow of the table is without an import', () => {
  const used = new Set(imports.map(({ from, to }) => `${room(from)} -> ${room(to)}`));
  const idle = Object.entries(ALLOWED)
    .flatMap(([name, others]) => others.map((other) => `${name} -> ${other}`))
    .filter((arrow) => !used.has(arrow));
  expect(idle).toEqual([]);
});

test('no import goes in a circle, types included', () => {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to]);
  const circles: string[] = [];
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]) => {
    if (path.includes(file)) return void circles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
    if (done.has(file)) return;
    for (const to of next.get(file) ?? []) walk(to, [...path, file]);
    done.add(file);
  };
  for (const file of next.keys()) walk(file, []);
  expect(circles).toEqual([]);
});

test('no sink knows another', () => {
  const sinkOf = (file: string) => /^sinks\/([^/]+)\//.exec(file)?.[1];
  const between = imports.filter(
    ({ from, to }) => sinkOf(from) !== undefined && sinkOf(to) !== undefined && sinkOf(from) !== sinkOf(to),
  );
  expect(between).toEqual([]);
});

/** Which rooms may name a library. */
const HOMES: readonly (readonly [library: string, rooms: readonly string[]])[] = [
  ['onnxruntime-node', ['model']],
  ['@tensorflow/', ['model']],
  ['kysely', ['worklist', 'web']],
  ['libsql', ['worklist']],
  ['pg', ['worklist']],
  ['amqplib', ['queue']],
  ['amqp-connection-manager', ['queue']],
  ['undici', ['net']],
  ['nodemailer', ['sinks']],
  ['@opentelemetry/', ['tracing']],
  ['csv-parse/sync', ['evaluation']],
  ['pngjs', ['pipeline']],
  ['express', ['web', 'app']],
  ['commander', ['cli']],
];

test.each(HOMES)('%s is used in its rooms only', (library, rooms) => {
  const names = new RegExp(`'${library}${library.endsWith('/') ? '' : "'"}`);
  const users = new Set(files.filter((file) => names.test(readFileSync(join(SRC, file), 'utf8'))).map(room));
  expect([...users].filter((name) => !rooms.includes(name))).toEqual([]);
  expect(users.size).toBeGreaterThan(0);
});

test('the figures of statistics/ know no files', () => {
  for (const file of files.filter((name) => room(name) === 'statistics'))
    expect(readFileSync(join(SRC, file), 'utf8')).not.toMatch(/from 'node:(?!crypto)/);
});
