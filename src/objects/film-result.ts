import type { Uid } from '../dicom/uid';
import { knownWarnings, NOT_ANALYSED_REASONS } from '../events/closed-lists';
import type { FilmResult } from '../events/result-event';
import { leadingFinding } from '../finding/finding';
import { reasonTextOf } from '../finding/wording';
import type { ReportReading } from './report-reader';
import { SR_CLASSES } from './structured-report';

const REPORT_CLASSES: ReadonlySet<string> = new Set(Object.values(SR_CLASSES));

/** The report among the stored outputs of a film; undefined where it has none. */
export function reportOf({ outputs }: Pick<FilmResult, 'outputs'>): FilmResult['outputs'][number] | undefined {
  return outputs.findLast(({ sopClassUid }) => REPORT_CLASSES.has(sopClassUid));
}

/**
 * The result of a film from its stored report, equal to the original one. Codes of a later version are left out; their
 * texts are in the report.
 * @param supersedes all known earlier reports, where more are known than the report names
 */
export function filmResultOf(
  reading: ReportReading,
  supersedes: readonly Uid[] = reading.links.predecessors.map(({ sopInstanceUid: report }) => report),
): FilmResult {
  const { sopInstanceUid, outcome, view, lungFraction, findings, outputs } = reading;
  const warnings = knownWarnings(reading.warnings);
  return {
    sopInstanceUid,
    outcome,
    reason: NOT_ANALYSED_REASONS.find((known) => known === reading.reason) ?? null,
    reasonText: reasonTextOf(reading.reason),
    view,
    probability: leadingFinding({ findings })?.probability ?? null,
    lungFraction,
    findings,
    ...(warnings.length > 0 ? { warnings } : {}),
    outputs,
    ...(supersedes.length > 0 ? { supersedes: [...supersedes] } : {}),
  };
}
