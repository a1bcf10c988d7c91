import { HilumError } from '../base/errors';
import type { ContentDigest } from '../dicom/content-digest';
import type { InstanceReference } from '../dicom/instance';
import type { Uid } from '../dicom/uid';
import type { FilmResult } from '../events/result-event';
import type { FilmState } from '../objects/analysis';
import { type ChainedReport, chainOf, type ReportChain } from '../objects/report-chain';
import { type ReportLinks, reportLinks } from '../objects/report-reader';
import { type AnalysisIdentity, readResult, resultUids, type ResultUids } from './encode';
import type { Archive, FilmOutcome } from './stage';

/** A report of Hilum in the archive. */
interface StoredReport extends ChainedReport {
  readonly links: ReportLinks;
  /** Null for a report of a version that this one can't read; its film counts as analysed. */
  readonly result: FilmResult | null;
}

/** All reports of one film, by any version of Hilum. */
export interface FilmReports extends ReportChain<StoredReport> {
  readonly all: readonly StoredReport[];
}

/**
 * Reports of a study's films, by film. UIDs are not enough to tell the current one: a film's content may have changed
 * under its UID, and reports of other versions have other UIDs; so structured reports are read. A report that was
 * written for another study and copied into this one with its film is ignored.
 * @throws HilumError of the archive
 */
export async function readReports(
  study: Uid,
  instances: readonly InstanceReference[],
  archive: Pick<Archive, 'retrieve'>,
): Promise<ReadonlyMap<Uid, FilmReports>> {
  const found = new Map<Uid, StoredReport[]>();
  for (const instance of instances.filter(({ modality }) => modality === 'SR')) {
    const report = await readStored(instance, archive);
    if (report === null || (report.links.study ?? study) !== study) continue;
    found.set(report.links.film, [...(found.get(report.links.film) ?? []), report]);
  }
  return new Map([...found].flatMap(([film, all]) => entryOf(film, all)));
}

function entryOf(film: Uid, all: readonly StoredReport[]): [Uid, FilmReports][] {
  const chain = chainOf(all);
  return chain === null ? [] : [[film, { ...chain, all }]];
}

/** Null for a document that is no report of Hilum, was deleted meanwhile, or is too large to be one. */
async function readStored(
  instance: InstanceReference,
  archive: Pick<Archive, 'retrieve'>,
): Promise<StoredReport | null> {
  try {
    const bytes = await archive.retrieve(instance);
    const links = reportLinks(bytes);
    if (links === null) return null;
    return {
      links,
      result: readPriorResult(bytes),
      sopInstanceUid: links.report.sopInstanceUid,
      predecessors: links.predecessors.map(({ sopInstanceUid }) => sopInstanceUid),
      contentAt: links.contentAt,
    };
  } catch (error) {
    if (
      error instanceof HilumError &&
      error.lasting === 'permanent' &&
      (error.code === 'NOT_FOUND' || error.code === 'DICOM_UNREADABLE')
    )
      return null;
    throw error;
  }
}

function readPriorResult(report: Uint8Array): FilmResult | null {
  try {
    return readResult(report);
  } catch {
    return null;
  }
}

/** Whether this analysis has a report on the content that the report in effect has. */
export function isReadBy({ all, inEffect }: FilmReports, study: Uid, identity: AnalysisIdentity): boolean {
  const { digest } = inEffect.links;
  return all
    .filter(({ links }) => links.digest === null || digest === null || isSameDigest(links.digest, digest))
    .some(({ links }) => isOf(links, study, identity));
}

function isSameDigest(one: ContentDigest, other: ContentDigest): boolean {
  return one.encoded === other.encoded || (one.decoded !== null && one.decoded === other.decoded);
}

/** Whether the report's UID is that of a first result of this analysis, or that of one for its content. */
function isOf({ film, report, digest, predecessors }: ReportLinks, study: Uid, identity: AnalysisIdentity): boolean {
  const states = [undefined, { digest, predecessors, isDistinct: true }];
  return states.some(
    (state) => resultUids(study, film, withState(identity, state)).report.instance === report.sopInstanceUid,
  );
}

/** The identity with the film's state, for everything that makes objects of the film. */
export function withState(identity: AnalysisIdentity, film: FilmState | undefined): AnalysisIdentity {
  return film === undefined ? identity : { ...identity, film };
}

/**
 * State of the film for its next report: digest and predecessors. UIDs are those of a first result, unless the content
 * differs from the report in effect's, or a result with these UIDs exists. Undefined where no report will be written.
 */
export function nextState(
  outcome: FilmOutcome,
  reports: FilmReports | undefined,
  first: ResultUids,
): FilmState | undefined {
  if (outcome.outcome === 'rejected' || outcome.content === undefined) return undefined;
  const { content: digest } = outcome;
  if (reports === undefined) return { digest, predecessors: [], isDistinct: false };
  const seen = reports.inEffect.links.digest;
  const isTaken = reports.all.some(({ sopInstanceUid }) => sopInstanceUid === first.report.instance);
  return {
    digest,
    predecessors: reports.heads.map(({ links }) => links.report),
    isDistinct: isTaken || (seen !== null && !isSameDigest(seen, digest)),
  };
}

/** The result in effect; null where it can't be read. */
export function resultInEffect({ inEffect: { result }, superseded }: FilmReports): FilmResult | null {
  return result === null || superseded.length === 0 ? result : { ...result, supersedes: superseded };
}

/** A result with the UIDs of all reports that it replaces. */
export function withSuperseded(result: FilmResult, reports: FilmReports | undefined): FilmResult {
  if (reports === undefined) return result;
  const { inEffect, superseded } = reports;
  const all = [...new Set([inEffect.sopInstanceUid, ...superseded])].sort();
  return { ...result, supersedes: all };
}
