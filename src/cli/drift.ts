import { join } from 'node:path';
import { SHIPPED_MODELS } from '../app/installed';
import { readConfig } from '../config/config';
import { readManifest } from '../model/manifest';
import { compareWith, type DriftRow, lastDays, referenceOf } from '../monitoring/drift';
import { type DriftDay, readPages } from '../monitoring/drift-book';

const WORDS: Readonly<Record<DriftRow['level'], string>> = {
  stable: 'like the films of the validation',
  shifted: 'shifted: look at what has changed',
  changed: 'CHANGED: the measured figures of the model may not hold',
  'too few films': 'not told from chance by so few films',
};

/**
 * Prints what is measured of the last days' films against the classifier's reference. Resolves to 1 when any measure
 * has changed, or there is no reference.
 */
export function drift(options: { config: string; days: number; json: boolean }): number {
  const { models, state } = readConfig(options.config);
  const [from, to] = lastDays(options.days, new Date());
  const { page, days, unread } = readPages(state.dir, from, to);
  const reference = referenceOf(readManifest(join(models.dir ?? SHIPPED_MODELS, models.classifier)));
  const rows = reference === null ? [] : compareWith(reference, page);
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ from, to, days, outcomes: page.outcomes, referenceFilms: reference?.films ?? null, measures: rows, unread })}\n`
      : report({ from, to, days, outcomes: page.outcomes, rows }),
  );
  if (unread.length > 0) process.stderr.write(`hilum: left out, not readable: ${unread.join(', ')}\n`);
  if (reference === null)
    process.stderr.write(`hilum: the manifest of ${models.classifier} has no reference to compare with\n`);
  return reference === null || rows.some(({ level }) => level === 'changed') ? 1 : 0;
}

function report({
  from,
  to,
  days,
  outcomes,
  rows,
}: {
  from: string;
  to: string;
  days: readonly DriftDay[];
  outcomes: Readonly<Record<string, number>>;
  rows: readonly DriftRow[];
}): string {
  const counted = Object.entries(outcomes)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, films]) => `  ${String(films).padStart(7)}  ${name}\n`);
  const compared = rows.map(
    ({ measure, films, index, chance, level }) =>
      `  ${measure.padEnd(19)} ${String(films).padStart(7)} ${number(index)} ${number(chance)}  ${WORDS[level]}\n`,
  );
  const head = rows.length === 0 ? '' : `  ${'measure'.padEnd(19)}   films    index  by chance\n`;
  return `${from} to ${to} (UTC), ${days.length} day(s) with films\n${days.map(dayLine).join('')}${counted.join('')}${head}${compared.join('')}`;
}

/** Films of a day, and what share of them was analysed: a ward that fell silent shows here, and in no index. */
function dayLine({ date, outcomes }: DriftDay): string {
  const films = Object.values(outcomes).reduce((a, b) => a + b, 0);
  return `  ${date} ${String(films).padStart(7)} film(s), ${outcomes['analysed'] ?? 0} analysed\n`;
}

const number = (value: number | null) =>
  (value === null || !Number.isFinite(value) ? '-' : value.toFixed(3)).padStart(8);
