import type { Uid } from '../dicom/uid';

/** One report of a film: its UID, its predecessors, and its time. */
export interface ChainedReport {
  readonly sopInstanceUid: Uid;
  /** SOP Instance UIDs of its Predecessor Documents Sequence (PS3.3 section C.17.2). */
  readonly predecessors: readonly Uid[];
  /** Milliseconds since 1970; used only among reports without predecessors. */
  readonly contentAt: number;
}

/** The reports of one film in their order, which does not depend on clocks. */
export interface ReportChain<T extends ChainedReport> {
  /** The current report: no other one supersedes it. */
  readonly inEffect: T;
  /** Reports that no other names as predecessor; several where reports of version 0.1 exist side by side. */
  readonly heads: readonly T[];
  /** SOP Instance UIDs of all known earlier reports, also deleted ones. */
  readonly superseded: readonly Uid[];
}

/** Null where there is no report. In a circle, which can't be written, all reports are heads. */
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

/** The predecessors of a report, and their predecessors. */
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
