import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

interface Entry {
  readonly version?: string;
  readonly optional?: boolean;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const { packages } = JSON.parse(readFileSync(join(resolve(__dirname, '../..'), 'package-lock.json'), 'utf8')) as {
  packages: Record<string, Entry>;
};

/**
 * npm writes no entry for what its registry does not have, such as builds for other platforms, and `npm ci` then
 * refuses the whole file as out of step.
 */
test('the lock file names every optional package, those of other platforms too', () => {
  const wanted = Object.values(packages).flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies));
  const named = new Set(
    Object.keys(packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)),
  );
  expect(wanted.filter((name) => !named.has(name))).toEqual([]);
});

test('the lock file names no registry', () => {
  expect(Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
});

test('each entry has its integrity, packages of other platforms too', () => {
  const bare = Object.entries(packages).filter(([path, { integrity, link }]) => path !== '' && !link && !integrity);
  expect(bare.map(([path]) => path)).toEqual([]);
  for (const { integrity } of Object.values(packages).slice(1)) expect(integrity).toMatch(/^sha512-[\w+/]{86}==$/);
});
