import type { DriftDay, DriftReport, DriftRow } from '../app/drift';
import { configOption, HilumCommand, loadConfig, note, UsageError } from './command';

interface DriftOptions {
  readonly config: string;
  readonly days: number;
  readonly json?: boolean;
}

export const drift = new HilumCommand(
  'drift',
  "whether the last days' films are like those that the classifier was validated on",
)
  .description(
    "Whether the last days' films are like those that the classifier was validated on. Ends with 1 when any measure has changed, or there is no reference to compare with.",
  )
  .addOption(configOption())
  .option('--days <N>', 'of the last N days', parseDays, 7)
  .option('--json', 'one JSON line')
  .example('hilum drift --config /etc/hilum/hilum.yaml', 'hilum drift --days 30 --config /etc/hilum/hilum.yaml')
  .does(async ({ config: path, days, json }: DriftOptions) => {
    const config = await loadConfig(path);
    const found = (await import('../app/drift.js')).driftReport(config, days);
    const { classifier, unread, referenceFilms, measures } = found;
    process.stdout.write(json ? `${JSON.stringify(found)}\n` : describe(found));
    if (unread.length > 0) note(`left out, not readable: ${unread.join(', ')}`);
    if (referenceFilms === null) note(`the manifest of ${classifier} has no reference to compare with`);
    return referenceFilms === null || measures.some(({ level }) => level === 'changed') ? 1 : 0;
  });

function parseDays(text: string): number {
  const days = Number(text);
  if (!Number.isInteger(days) || days < 1 || days > 3650)
    throw new UsageError(`--days is a whole number from 1, not ${text}`);
  return days;
}

const WORDS: Readonly<Record<DriftRow['level'], string>> = {
  stable: 'like the films of the validation',
  shifted: 'shifted: look at what has changed',
  changed: 'CHANGED: the measured figures of the model may not hold',
  'too few films': 'not told from chance by so few films',
};

function describe({ from, to, days, outcomes, measures }: DriftReport): string {
  const counted = Object.entries(outcomes)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, films]) => `  ${String(films).padStart(7)}  ${name}\n`);
  const compared = measures.map(
    ({ measure, films, index, chance, level }) =>
      `  ${measure.padEnd(19)} ${String(films).padStart(7)} ${number(index)} ${number(chance)}  ${WORDS[level]}\n`,
  );
  const head = measures.length === 0 ? '' : `  ${'measure'.padEnd(19)}   films    index  by chance\n`;
  return `${from} to ${to} (UTC), ${days.length} day(s) with films\n${days.map(dayLine).join('')}${counted.join('')}${head}${compared.join('')}`;
}

/** Number of films of a day, and the share that was analysed: a ward that sends nothing shows here, and in no index. */
function dayLine({ date, outcomes }: DriftDay): string {
  const films = Object.values(outcomes).reduce((a, b) => a + b, 0);
  return `  ${date} ${String(films).padStart(7)} film(s), ${outcomes['analysed'] ?? 0} analysed\n`;
}

const number = (value: number | null) =>
  (value === null || !Number.isFinite(value) ? '-' : value.toFixed(3)).padStart(8);
