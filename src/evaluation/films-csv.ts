import { csvLine } from '../base/csv';
import { isAtOrAbove } from '../finding/operating-point';
import type { FilmRecord } from './journal';
import type { Labels } from './labels';
import type { EvaluationReport } from './report';

/**
 * CSV with a row for each film of the labels file: label, result, and whether it counts in the figures. The patient is
 * named as in the labels file, else by the number in the report; never by a Patient ID or a digest of one.
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
