import type { Code } from '../dicom/code';
import type { Finding, FindingMode } from '../events/finding';
import { mostUrgent, type Priority } from '../events/priority';
import type { FilmResult } from '../events/result-event';
import { isAtOrAbove } from './operating-point';

/** A finding to look for, with its operating point and priority. */
export interface FindingRule {
  /** Name of the class, up to 64 characters. */
  readonly label: string;
  readonly code: Code;
  /** Operating point of the configuration, or else of the classifier; 0..1. */
  readonly operatingPoint: number;
  readonly mode: FindingMode;
  /** Priority of a film at or above the operating point; absent: urgent. */
  readonly priority?: Priority | undefined;
}

/** The finding of a film with this probability (0..1). */
export function findingOf(
  { label, code, operatingPoint, mode, priority = 'urgent' }: FindingRule,
  probability: number,
): Finding {
  const atOrAbove = isAtOrAbove(probability, operatingPoint);
  return { label, code, probability, operatingPoint, atOrAbove, priority: priorityAt(atOrAbove, priority), mode };
}

/** The clinical rule: a film at or above the operating point gets the priority of its rule. */
export function priorityAt(atOrAbove: boolean, priority: Priority = 'urgent'): Priority {
  return atOrAbove ? priority : 'routine';
}

/** The highest priority of the live findings; null where there is none. */
export function priorityOf(findings: readonly Finding[]): Priority | null {
  return mostUrgent(liveFindings(findings).map(({ priority }) => priority));
}

/** Findings that are shown to people and sent to other systems; those in shadow mode are in the report only. */
export function liveFindings(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ mode }) => mode === 'live');
}

/** The highest priority of all films of a study. */
export function studyPriority(films: readonly { readonly findings: readonly Finding[] }[]): Priority | null {
  return priorityOf(films.flatMap(({ findings }) => findings));
}

/** Whether there are findings, all of them in shadow: then there is no result to show. */
export function areAllInShadow(findings: readonly Finding[]): boolean {
  return findings.length > 0 && liveFindings(findings).length === 0;
}

/** Whether a film was analysed and has no result to show; findings of a withdrawn one are earlier values. */
export function isInShadow({ outcome, findings }: Pick<FilmResult, 'outcome' | 'findings'>): boolean {
  return outcome === 'analysed' && areAllInShadow(findings);
}

/** The live finding that represents its film where only one is shown; undefined where there is none. */
export function leadingFinding({ findings }: { readonly findings: readonly Finding[] }): Finding | undefined {
  return liveFindings(findings).length === 0 ? undefined : findings[leadingIndex(findings)];
}

/**
 * The first live finding that makes the film urgent, else the first live one at or above its operating point, else the
 * first live one: the reader should see the finding that raised the priority. Without a live one, the first, whose
 * activation the picture shows.
 */
export function leadingIndex(findings: readonly Pick<Finding, 'mode' | 'atOrAbove' | 'priority'>[]): number {
  const first = (test: (finding: (typeof findings)[number]) => boolean) =>
    findings.findIndex((finding) => finding.mode === 'live' && test(finding));
  const candidates = [
    first(({ priority }) => priority === 'urgent'),
    first(({ atOrAbove }) => atOrAbove),
    first(() => true),
  ];
  return candidates.find((index) => index >= 0) ?? 0;
}
