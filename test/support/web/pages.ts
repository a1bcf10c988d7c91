import { transformSync } from '@swc/core';
import { cpSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const SOURCE = resolve(__dirname, '../../../src/web/pages');
const CATALOGUES = resolve(__dirname, '../../../src/language/catalogues');

/** The pages as the build makes them, from the sources as they are now, in a new folder. */
export function builtPages(): string {
  const dir = mkdtempSync(join(tmpdir(), 'hilum-pages-'));
  for (const name of readdirSync(CATALOGUES)) cpSync(join(CATALOGUES, name), join(dir, name));
  for (const name of readdirSync(SOURCE)) {
    if (name === 'tsconfig.json') continue;
    if (!name.endsWith('.ts')) cpSync(join(SOURCE, name), join(dir, name));
    else
      writeFileSync(
        join(dir, name.replace(/\.ts$/, '.js')),
        transformSync(readFileSync(join(SOURCE, name), 'utf8'), {
          jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
          module: { type: 'es6' },
        }).code,
      );
  }
  return dir;
}
