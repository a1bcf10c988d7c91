import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { examineModel } from '../../src/app/model-check';
import { manifestSchema } from '../../src/model/manifest';
import { TFJS_WORKER, tinyModel } from '../support/pipeline/tiny-model';

const DOC = readFileSync(join(resolve(__dirname, '../..'), 'docs/models.md'), 'utf8');

interface JsonSchema {
  readonly properties?: Record<string, JsonSchema>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly enum?: readonly (string | number)[];
}

interface Row {
  readonly needed: boolean;
  readonly values: readonly string[];
}

/** Keys as the table writes them; a code is one row. */
function keysOf({ properties = {}, required = [] }: JsonSchema, prefix = ''): [string, Row][] {
  return Object.entries(properties).flatMap(([name, value]) => {
    const path = `${prefix}${name}`;
    const row: [string, Row] = [path, { needed: required.includes(name), values: (value.enum ?? []).map(String) }];
    const below = path.endsWith('].code')
      ? []
      : [...keysOf(value, `${path}.`), ...(value.items ? keysOf(value.items, `${path}[].`) : [])];
    return value.properties && below.length > 0 ? below : [row, ...below];
  });
}

const section = DOC.slice(DOC.indexOf('## manifest.json'), DOC.indexOf('Preprocessing is data'));
const table = new Map(
  [...section.matchAll(/^\| `([^`]+)` \| ([^|]*) \| (yes|no) \|/gm)].map(([, key, type, needed]) => [
    key!,
    { needed: needed === 'yes', type: type! },
  ]),
);
/** Read by stages, each with a schema of its own, or shown only. */
const BESIDE = ['mask', 'training', 'metrics'];

test('docs/models.md: the table of the manifest is the schema', () => {
  const keys = keysOf(z.toJSONSchema(manifestSchema, { io: 'input' }) as JsonSchema);
  expect(keys.length).toBeGreaterThan(20);
  expect([...table.keys()].filter((key) => !BESIDE.includes(key)).sort()).toEqual(keys.map(([key]) => key).sort());
  for (const [key, { needed, values }] of keys) {
    expect({ key, needed: table.get(key)!.needed }).toEqual({ key, needed });
    for (const value of values) expect(table.get(key)!.type).toContain(value);
  }
});

test('docs/models.md: every line that "models check" can give is explained', async () => {
  const findings = await examineModel(tinyModel(), { tfjsWorkerFile: TFJS_WORKER });
  const explained = DOC.slice(DOC.indexOf('## What `npx hilum models check'));
  for (const { check } of findings) expect(explained).toContain(`\`${check}\``);
});
