import { csvLine } from '../base/csv';
import { isAtOrAbove } from '../finding/operating-point';
import type { FilmRecord } from './journal';
import type { Labels } from './labels';
import type { EvaluationReport } from './report';

/**
 * A row for each film of the labels file: what it is labelled, what came of it, and whether the figures count it. The
 * patient is what the labels file calls them, else their number in the report: no Patient ID, and no digest of one.
 */
export function filmsCsv(
  report: EvaluationReport,
  labels: Labels,
  records: ReadonlyMap<string, FilmRecord>,
  second: ReadonlyMap<string, FilmRecord> | null,
): string {
  const { finding, settings, protocol, comparison } = report;
  const counted = new Map(report.films.map((film) => [film.file, film]));
  const excluded = new Map(
    report.excluded.flatMap(({ reason, files }) => files.map((file) => [file, reason] as const)),
  );
  const heading = [
    ...['file', 'label', 'patient', 'state', 'reason', 'view', 'probability', 'at_operating_point'],
    ...(protocol?.threshold === undefined ? [] : ['at_proposed_threshold']),
    ...(comparison === null ? [] : ['compared_probability', 'compared_at_operating_point']),
    ...['counted', 'half'],
  ];
  const called = (probability: number | undefined, threshold: number) =>
    probability === undefined ? null : isAtOrAbove(probability, threshold);
  const rows = labels.films.map(({ file, positive, patient }) => {
    const [record, film] = [records.get(file), counted.get(file)];
    const probability = record?.probabilities[finding];
    const other = second?.get(file)?.probabilities[finding];
    return csvLine([
      file,
      positive ? labels.positive : labels.negative,
      patient ?? film?.patient ?? null,
      record?.outcome ?? null,
      excluded.get(file) ?? null,
      record?.view ?? null,
      probability ?? null,
      called(probability, settings.threshold),
      ...(protocol?.threshold === undefined ? [] : [called(probability, protocol.threshold)]),
      ...(comparison === null ? [] : [other ?? null, called(other, comparison.thresholds.second)]),
      film !== undefined,
      film?.half ?? null,
    ]);
  });
  return [csvLine(heading), ...rows].join('');
}
