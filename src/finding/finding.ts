import type { Code } from '../dicom/code';
import type { Finding, FindingMode } from '../events/finding';
import { mostUrgent, type Priority } from '../events/priority';
import { isAtOrAbove } from './operating-point';

/** What a probability is of, and what it is held against. */
export interface FindingRule {
  /** Name of the class, at most 64 characters. */
  readonly label: string;
  readonly code: Code;
  /** The classifier's or, before it, the site's own; 0..1. */
  readonly operatingPoint: number;
  readonly mode: FindingMode;
  /** What it makes a film at or above the operating point; absent: urgent. */
  readonly priority?: Priority | undefined;
}

/** The finding of one film, by its probability (0..1). */
export function findingOf(
  { label, code, operatingPoint, mode, priority = 'urgent' }: FindingRule,
  probability: number,
): Finding {
  const atOrAbove = isAtOrAbove(probability, operatingPoint);
  return { label, code, probability, operatingPoint, atOrAbove, priority: priorityAt(atOrAbove, priority), mode };
}

/** The one clinical rule: at or above the operating point a film is to be read soon, if its rule says so. */
export function priorityAt(atOrAbove: boolean, priority: Priority = 'urgent'): Priority {
  return atOrAbove ? priority : 'routine';
}

/** The highest priority of the live findings; null when there is none, for that says nothing. */
export function priorityOf(findings: readonly Finding[]): Priority | null {
  return mostUrgent(liveFindings(findings).map(({ priority }) => priority));
}

/** What people and other systems are told; one in shadow stands in the report alone, and says so. */
export function liveFindings(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ mode }) => mode === 'live');
}

/** The highest priority of all films of a study. */
export function studyPriority(films: readonly { readonly findings: readonly Finding[] }[]): Priority | null {
  return priorityOf(films.flatMap(({ findings }) => findings));
}

/** The finding that stands for its film where only one is told; undefined for a film that was not analysed. */
export function leadingFinding({ findings }: { readonly findings: readonly Finding[] }): Finding | undefined {
  return findings[leadingIndex(findings)];
}

/**
 * The first live one that makes the film urgent, else the first live one at or above its operating point, else the
 * first live one: what a reader is shown must be what moved the study up.
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
