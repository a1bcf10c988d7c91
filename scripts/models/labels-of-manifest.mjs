#!/usr/bin/env node
/**
 * node scripts/models/labels-of-manifest.mjs MANIFEST.csv > labels.csv The labels file of `hilum evaluate` for the test
 * split of the collection that the models were trained on: COVID-19 against everything else that is known.
 */
import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';

const [manifest, split = 'test'] = process.argv.slice(2);
if (manifest === undefined) {
  const use = 'node scripts/models/labels-of-manifest.mjs MANIFEST.csv [train|val|test] > labels.csv';
  process.stderr.write(`usage: ${use}\n`);
  process.exit(2);
}
function read(file) {
  try {
    return readFileSync(file);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
/** @type {Record<string, string>[]} */
const films = parse(read(manifest), { columns: true, bom: true });
const rows = films.filter(
  (row) => row.split === split && row.finding !== 'unknown',
);
const lines = rows.map(({ path, source, patient_id: patient, view, finding, sex, age }) =>
  [path, finding === 'covid' ? 'covid' : 'other', `${source}/${patient || path}`, source, view, finding, sex, age]
    .map(quoted)
    .join(','),
);
process.stdout.write(`${['file,label,patient,source,view,finding,sex,age', ...lines].join('\n')}\n`);
