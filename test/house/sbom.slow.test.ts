import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');

interface Bill {
  readonly bomFormat: string;
  readonly components: readonly {
    readonly name: string;
    readonly version: string;
    readonly hashes?: readonly unknown[];
  }[];
}

test('the bill of materials names each package that is installed with the service, with its digest', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hilum-sbom-'));
  const file = join(dir, 'sbom.cdx.json');
  const { status, stderr } = spawnSync(process.execPath, ['scripts/build/sbom.mjs', '--out', file], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect({ status, stderr }).toMatchObject({ status: 0 });
  const { bomFormat, components } = JSON.parse(readFileSync(file, 'utf8')) as Bill;
  rmSync(dir, { recursive: true });
  expect(bomFormat).toBe('CycloneDX');
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const listed = new Set(components.map(({ name, version }) => `${name}@${version}`));
  expect(Object.entries(dependencies).filter(([name, version]) => !listed.has(`${name}@${version}`))).toEqual([]);
  expect(components.filter(({ hashes = [] }) => hashes.length === 0)).toEqual([]);
  expect(components.map(({ name }) => name)).not.toContain('jest');
});
