import { join, resolve } from 'node:path';
import { z } from 'zod';
import { path, resolvedFrom } from '../../src/base/schema';
import { configSchema, parseConfig } from '../../src/config/config';

interface Described {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Described>>;
  readonly anyOf?: readonly Described[];
  readonly oneOf?: readonly Described[];
}

const PATH = 'path, relative to the configuration file';

function keysOf(node: Described, key: readonly string[] = []): { key: readonly string[]; description: string }[] {
  const alternatives = [...(node.anyOf ?? []), ...(node.oneOf ?? [])].flatMap((one) => keysOf(one, key));
  const inner = Object.entries(node.properties ?? {}).flatMap(([name, one]) => keysOf(one, [...key, name]));
  return [{ key, description: node.description ?? '' }, ...alternatives, ...inner];
}

const keys = keysOf(z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as Described);
const paths = keys.filter(({ description }) => description.includes(PATH)).map(({ key }) => key);

type Tree = { [key: string]: Tree | string };

/** What the sections with a path need beside it. */
const needed = (): Tree => ({
  archive: { url: 'http://localhost:8042/dicom-web' },
  broker: { url: 'amqp://localhost' },
  access: { oidc: { issuer: 'https://login.example', clientId: 'hilum' } },
  audit: { syslog: { host: 'localhost' } },
});

function set(tree: Tree, [name, ...rest]: readonly string[], value: string): void {
  if (rest.length === 0) tree[name!] = value;
  else set((tree[name!] ??= {}) as Tree, rest, value);
}

const at = (tree: unknown, key: readonly string[]) =>
  key.reduce<unknown>((found, name) => (found as Record<string, unknown> | undefined)?.[name], tree);

test('every key that is described as a path starts from the folder of the configuration file', () => {
  const written = needed();
  for (const key of paths) set(written, key, join('files', key.join('-')));
  const config = parseConfig(written, '/etc/hilum');
  expect(paths.map((key) => at(config, key))).toEqual(paths.map((key) => `/etc/hilum/files/${key.join('-')}`));
  expect(paths.length).toBeGreaterThan(20);
});

test('every file and folder among the keys is described as a path', () => {
  const named = keys.map(({ key }) => key.join('.')).filter((key) => /(^|\.)dir$|File$/.test(key));
  expect(paths.map((key) => key.join('.')).sort()).toEqual(named.sort());
});

test('defaults are resolved as well, and follow state.dir where they lie in it', () => {
  const config = parseConfig(needed(), '/etc/hilum');
  expect(config.state.dir).toBe('/etc/hilum/state');
  expect(config.audit.dir).toBe('/etc/hilum/state/audit');
  expect(config.list.database).toBe('file:/etc/hilum/state/list.db');
  const elsewhere = parseConfig({ ...needed(), state: { dir: '/var/lib/hilum' } }, '/etc/hilum');
  expect([elsewhere.audit.dir, elsewhere.list.database]).toEqual([
    '/var/lib/hilum/audit',
    'file:/var/lib/hilum/list.db',
  ]);
});

test.each([
  ['file:list.db', 'file:/etc/hilum/list.db'],
  ['file:/var/lib/list.db', 'file:/var/lib/list.db'],
  ['file:///var/lib/list.db', 'file:///var/lib/list.db'],
  ['postgres://hilum@db/list', 'postgres://hilum@db/list'],
])('the database %s is %s', (database, resolved) => {
  expect(parseConfig({ ...needed(), list: { database } }, '/etc/hilum').list.database).toBe(resolved);
});

test('the folder counts for its own parse only, and ends with one that throws', () => {
  const schema = path('A file');
  const fail = () => {
    throw new Error('over');
  };
  expect(resolvedFrom('/a', () => [resolvedFrom('/b', () => schema.parse('x')), schema.parse('x')])).toEqual([
    '/b/x',
    '/a/x',
  ]);
  expect(() => resolvedFrom('/a', fail)).toThrow('over');
  expect(schema.parse('x')).toBe(resolve('x'));
  expect(schema.safeParse('').success).toBe(false);
});
