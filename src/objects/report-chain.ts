import type { Uid } from '../dicom/uid';

/** One report of a film: what it is called, which earlier ones it names, and when it says it was written. */
export interface ChainedReport {
  readonly sopInstanceUid: Uid;
  /** SOP Instance UIDs of its Predecessor Documents Sequence (PS3.3 section C.17.2). */
  readonly predecessors: readonly Uid[];
  /** Milliseconds since 1970; decides only between reports that name no other. */
  readonly contentAt: number;
}

/** The reports of one film in their order, which no clock decides. */
export interface ReportChain<T extends ChainedReport> {
  /** The one that holds: no other supersedes it. */
  readonly inEffect: T;
  /** Those that no other names. More than one where reports of version 0.1 lie side by side. */
  readonly heads: readonly T[];
  /** SOP Instance UIDs of all earlier ones that are known, also of those that are not there any more. */
  readonly superseded: readonly Uid[];
}

/** Null where there is no report. A circle, which nobody can write, has no head: then all are heads. */
export function chainOf<T extends ChainedReport>(reports: readonly T[]): ReportChain<T> | null {
  const named = new Set(reports.flatMap(({ predecessors }) => predecessors));
  const ends = reports.filter(({ sopInstanceUid }) => !named.has(sopInstanceUid));
  const heads = (ends.length > 0 ? ends : reports)
    .map((report) => ({ report, ancestors: ancestorsOf(report, reports).size }))
    .sort(
      (a, b) =>
        b.ancestors - a.ancestors ||
        b.report.contentAt - a.report.contentAt ||
        (a.report.sopInstanceUid < b.report.sopInstanceUid ? -1 : 1),
    )
    .map(({ report }) => report);
  const inEffect = heads[0];
  if (inEffect === undefined) return null;
  const all = new Set([...reports.map(({ sopInstanceUid }) => sopInstanceUid), ...named]);
  all.delete(inEffect.sopInstanceUid);
  return { inEffect, heads, superseded: [...all].sort() };
}

/** All that a report names, and what those name. */
function ancestorsOf(report: ChainedReport, reports: readonly ChainedReport[]): ReadonlySet<Uid> {
  const byUid = new Map(reports.map((one) => [one.sopInstanceUid, one]));
  const found = new Set<Uid>();
  const open = [...report.predecessors];
  for (let uid = open.pop(); uid !== undefined; uid = open.pop()) {
    if (found.has(uid)) continue;
    found.add(uid);
    open.push(...(byUid.get(uid)?.predecessors ?? []));
  }
  return found;
}
