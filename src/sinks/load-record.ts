import { HilumError } from '../base/errors';
import { items, type Keyword, text } from '../dicom/attributes';
import type { InstanceReference } from '../dicom/instance';
import { readPart10 } from '../dicom/read';
import { deriveUid, type Uid } from '../dicom/uid';
import { mayBeFilm } from '../events/chest-film';
import { isRejection } from '../events/closed-lists';
import type { FilmResult, ResultEvent } from '../events/result-event';
import { mostUrgent } from '../events/priority';
import { studyPriority } from '../finding/finding';
import { reasonTextOf, WARNING_TEXTS } from '../finding/wording';
import { filmResultOf, reportOf } from '../objects/film-result';
import { type ChainedReport, chainOf, type ReportChain } from '../objects/report-chain';
import { readReport, reportLinks, type ReportReading } from '../objects/report-reader';
import type { FilmRecord, OrderFacts, PatientFacts, StudyAttributes, StudyFacts, StudyRecord } from './record';
import { isWithdrawn } from './statements';

/** Attributes in a film's header; '' where missing. */
export interface FilmHeader extends PatientFacts, StudyFacts, OrderFacts {
  readonly Modality: string;
  readonly ViewPosition: string;
  readonly sopClassUid: Uid | null;
}

type InstancePath = Pick<InstanceReference, 'studyInstanceUid' | 'seriesInstanceUid' | 'sopInstanceUid'>;

/**
 * Port: the archive that records are read from; `archive/dicomweb` fits it by shape. Every method throws HilumError.
 */
export interface RecordArchive {
  findInstances(study: Uid): Promise<readonly InstanceReference[]>;
  /** Null where the archive does not have the instance. */
  describe(path: InstancePath): Promise<FilmHeader | null>;
  retrieve(path: InstancePath): Promise<Uint8Array>;
}

/** A film's report; null where it has none, or none that can be read. */
export interface ReadReport {
  readonly reading: ReportReading;
  /** Header of the report, which has patient and study attributes of the film. */
  readonly header: FilmHeader;
}

/**
 * The record of a study's result: the event completed from the reports and the films' headers. Where objects were
 * deleted meanwhile, the event's own facts are used.
 * @throws HilumError of the archive
 */
export async function loadRecord(event: ResultEvent, archive: RecordArchive): Promise<StudyRecord> {
  const reports: (ReadReport | null)[] = [];
  for (const film of event.films) reports.push(await loadReport(event.studyInstanceUid, film, archive));
  const record = await assembleRecord(event, reports, archive);
  const superseded = await readSuperseded(event, archive);
  const priority = mostUrgent(superseded.map((reading) => reading.priority));
  return {
    ...record,
    ...(priority === null ? {} : { supersededPriority: priority }),
    films: record.films.map((film) => withEarlier(film, superseded)),
  };
}

/**
 * As {@link loadRecord}, with the films that came after the event was made; null where a later report of one of its
 * films exists: the event is late or was replayed, and the later report has an event of its own.
 */
export async function loadCurrentRecord(event: ResultEvent, archive: RecordArchive): Promise<StudyRecord | null> {
  const instances = await archive.findInstances(event.studyInstanceUid);
  const known = new Set<Uid>(event.films.flatMap(reportsOf));
  const others = await readOthers(
    event.studyInstanceUid,
    instances.filter(({ modality, sopInstanceUid }) => modality === 'SR' && !known.has(sopInstanceUid)),
    archive,
  );
  if (others.some(({ predecessors }) => predecessors.some((report) => known.has(report)))) return null;
  return loadRecord(withLaterFilms(event, others, instances), archive);
}

/** A report that the event does not name. */
interface OtherReport extends ChainedReport {
  readonly film: Uid;
  readonly bytes: Uint8Array;
}

/** Mostly there is none. */
async function readOthers(
  study: Uid,
  documents: readonly InstanceReference[],
  archive: RecordArchive,
): Promise<OtherReport[]> {
  const others: OtherReport[] = [];
  for (const document of documents) {
    const bytes = await retrieveIfThere(document, archive);
    const links = bytes && reportLinks(bytes);
    if (links?.study !== study) continue;
    const predecessors = links.predecessors.map(({ sopInstanceUid }) => sopInstanceUid);
    const { film, report, contentAt } = links;
    others.push({ film, bytes: bytes!, sopInstanceUid: report.sopInstanceUid, predecessors, contentAt });
  }
  return others;
}

/**
 * Adds the films that the study's next result tells of and the event does not: come late, it must not take the place of
 * that result. It is not dropped, because that result may never be announced: its study may be among the dead letters.
 */
function withLaterFilms(
  event: ResultEvent,
  others: readonly OtherReport[],
  instances: readonly InstanceReference[],
): ResultEvent {
  const reported = new Set<Uid>(event.films.filter((film) => reportsOf(film).length > 0).map(uidOf));
  const listed = new Set<Uid>(instances.filter(mayBeFilm).map(uidOf));
  const lacking = [...new Set(others.map(({ film }) => film))].filter((film) => !reported.has(film));
  const later = lacking.flatMap((film) => {
    const chain = chainOf(others.filter((report) => report.film === film));
    const result = chain && resultInEffect(chain);
    // As in the result event: of a film that is not listed any more, only its rejection is told.
    const isTold = result && (listed.has(film) || (result.reason !== null && isRejection(result.reason)));
    return isTold ? [result] : [];
  });
  if (later.length === 0) return event;
  const added = new Set<Uid>(later.map(uidOf));
  return {
    ...event,
    priority: mostUrgent([event.priority, studyPriority(later)]),
    films: [...event.films.filter((film) => !added.has(film.sopInstanceUid)), ...later],
  };
}

const uidOf = ({ sopInstanceUid }: { readonly sopInstanceUid: Uid }): Uid => sopInstanceUid;

/** Null where this version can't read the report. */
function resultInEffect({ inEffect, superseded }: ReportChain<OtherReport>): FilmResult | null {
  try {
    return filmResultOf(readReport(inEffect.bytes), superseded);
  } catch (error) {
    if (error instanceof HilumError && error.code === 'DICOM_UNREADABLE') return null;
    throw error;
  }
}

async function findReports({ studyInstanceUid }: ResultEvent, archive: RecordArchive): Promise<InstanceReference[]> {
  return (await archive.findInstances(studyInstanceUid)).filter(({ modality }) => modality === 'SR');
}

/** The report of a film, and those that it replaces. */
function reportsOf(film: FilmResult): Uid[] {
  const report = reportOf(film);
  return [...(report === undefined ? [] : [report.sopInstanceUid]), ...(film.supersedes ?? [])];
}

/** The reports that the result replaces, for receivers that have to withdraw what they were sent. */
async function readSuperseded(event: ResultEvent, archive: RecordArchive): Promise<ReportReading[]> {
  const superseded = new Set<Uid>(event.films.flatMap(({ supersedes = [] }) => supersedes));
  if (superseded.size === 0) return [];
  const readings: ReportReading[] = [];
  for (const instance of await findReports(event, archive)) {
    const report = superseded.has(instance.sopInstanceUid) ? await readReportIfThere(instance, archive) : null;
    if (report !== null) readings.push(report.reading);
  }
  return readings;
}

/**
 * Earlier results of a film, for a receiver that marks values as wrong. Those of a withdrawn film have to be sent
 * again, also where the reason of the rejection has changed since.
 */
function withEarlier(film: FilmRecord, superseded: readonly ReportReading[]): FilmRecord {
  const earlier = inOrder(superseded.filter(({ sopInstanceUid }) => sopInstanceUid === film.sopInstanceUid)).map(
    (reading) => filmResultOf(reading),
  );
  if (earlier.length === 0) return film;
  const told = earlier.findLast(({ reason }) => !(reason !== null && isRejection(reason)));
  if (told === undefined || !isWithdrawn(film)) return { ...film, earlier };
  const { view, findings, lungFraction } = told;
  return { ...film, earlier, withdrawn: { view, findings, lungFraction } };
}

/** Readings of one film's reports, the one that was in effect last at the end. */
function inOrder(readings: readonly ReportReading[]): ReportReading[] {
  const chain = chainOf(
    readings.map((reading) => ({
      reading,
      sopInstanceUid: reading.links.report.sopInstanceUid,
      predecessors: reading.links.predecessors.map((report) => report.sopInstanceUid),
      contentAt: reading.contentAt,
    })),
  );
  if (chain === null) return [];
  const last = chain.inEffect.reading;
  return [...inOrder(readings.filter((reading) => reading !== last)), last];
}

/** As {@link loadRecord}, with the reports of the event's films already read, in their order. */
export async function assembleRecord(
  event: ResultEvent,
  reports: readonly (ReadReport | null)[],
  archive: Pick<RecordArchive, 'findInstances' | 'describe'>,
): Promise<StudyRecord> {
  const study = event.studyInstanceUid;
  const paths = await findPaths(event, reports, archive);
  const headers: (FilmHeader | null)[] = [];
  for (const [i, film] of event.films.entries())
    headers.push(
      paths[i]
        ? await archive.describe({
            studyInstanceUid: study,
            seriesInstanceUid: paths[i],
            sopInstanceUid: film.sopInstanceUid,
          })
        : null,
    );
  const header =
    headers.find((found) => found !== null) ?? reports.find((report) => report !== null)?.header ?? EMPTY_HEADER;
  return {
    studyInstanceUid: study,
    ...attributesOf(header),
    priority: event.priority,
    films: event.films.map((film, i) =>
      filmRecord(film, paths[i] ?? null, headers[i] ?? null, reports[i]?.reading ?? null),
    ),
    models: modelsOf(event, reports),
    softwareVersion: reports.find((report) => report !== null)?.reading.softwareVersion ?? '',
    completedAt: event.completedAt,
    key: keyOf(event),
    ...(event.films.length > 0 ? {} : { skipped: [...new Set(event.skipped.map(({ modality }) => modality))] }),
    ...(event.correction === undefined ? {} : { correction: event.correction }),
  };
}

/** Null for a film without a report, and for a report that no longer exists. */
async function loadReport(study: Uid, film: FilmResult, archive: RecordArchive): Promise<ReadReport | null> {
  const report = reportOf(film);
  return report === undefined ? null : readReportIfThere({ studyInstanceUid: study, ...report }, archive);
}

/** Null for an SR that is no report of Hilum, or was deleted meanwhile. */
export async function readReportIfThere(path: InstancePath, archive: RecordArchive): Promise<ReadReport | null> {
  const bytes = await retrieveIfThere(path, archive);
  try {
    return bytes && readReportFile(bytes);
  } catch (error) {
    if (error instanceof HilumError && error.code === 'DICOM_UNREADABLE') return null;
    throw error;
  }
}

async function retrieveIfThere(path: InstancePath, archive: RecordArchive): Promise<Uint8Array | null> {
  try {
    return await archive.retrieve(path);
  } catch (error) {
    if (error instanceof HilumError && (error.code === 'NOT_FOUND' || error.code === 'DICOM_UNREADABLE')) return null;
    throw error;
  }
}

/** @throws HilumError DICOM_UNREADABLE when it is no report of Hilum */
function readReportFile(bytes: Uint8Array): ReadReport {
  const { attributes } = readPart10(bytes);
  const reading = readReport(attributes);
  const value = (keyword: Keyword, place = attributes) => text(place, keyword) ?? '';
  const [issuer = {}] = items(attributes, 'IssuerOfAccessionNumberSequence');
  const header = {
    ...EMPTY_HEADER,
    PatientID: value('PatientID'),
    IssuerOfPatientID: value('IssuerOfPatientID'),
    PatientName: value('PatientName'),
    PatientBirthDate: value('PatientBirthDate'),
    PatientSex: value('PatientSex'),
    StudyID: value('StudyID'),
    StudyDate: value('StudyDate'),
    StudyTime: value('StudyTime'),
    TimezoneOffsetFromUTC: value('TimezoneOffsetFromUTC'),
    StudyDescription: value('StudyDescription'),
    ReferringPhysicianName: value('ReferringPhysicianName'),
    InstitutionName: value('InstitutionName'),
    AccessionNumber: value('AccessionNumber'),
    AccessionNumberIssuer: value('LocalNamespaceEntityID', issuer) || value('UniversalEntityID', issuer),
  };
  return { reading, header };
}

/** Series of each film, from its report; where that does not tell, the archive is asked once. */
async function findPaths(
  event: ResultEvent,
  reports: readonly (ReadReport | null)[],
  archive: Pick<RecordArchive, 'findInstances'>,
): Promise<(Uid | null)[]> {
  const told = event.films.map((_film, i) => reports[i]?.reading.film?.seriesInstanceUid ?? null);
  if (told.every((series) => series !== null)) return told;
  const listed = new Map(
    (await archive.findInstances(event.studyInstanceUid)).map(({ sopInstanceUid, seriesInstanceUid }) => [
      sopInstanceUid,
      seriesInstanceUid,
    ]),
  );
  return event.films.map(({ sopInstanceUid }, i) => told[i] ?? listed.get(sopInstanceUid) ?? null);
}

function filmRecord(
  film: FilmResult,
  seriesInstanceUid: Uid | null,
  header: FilmHeader | null,
  reading: ReportReading | null,
): FilmRecord {
  return {
    ...film,
    // Whatever the event says: events of an earlier version quote the film's header.
    reasonText: reasonTextOf(film.reason),
    seriesInstanceUid,
    sopClassUid: reading?.film?.sopClassUid ?? header?.sopClassUid ?? null,
    modality: header?.Modality ?? '',
    viewPosition: header?.ViewPosition ?? '',
    // Events of version 0.1 have no findings; the report has.
    findings: film.findings.length > 0 ? film.findings : (reading?.findings ?? []),
    // Without a readable report, the texts of the event's warnings are used.
    remarks: reading?.remarks ?? (film.warnings ?? []).map((warning) => WARNING_TEXTS[warning]),
  };
}

/** Models named in the reports, else those of the event. */
function modelsOf(event: ResultEvent, reports: readonly (ReadReport | null)[]): StudyRecord['models'] {
  const named = reports.flatMap((report) => report?.reading.models ?? []).map(({ id, version }) => ({ id, version }));
  const all = named.length > 0 ? named : event.models;
  return [...new Map(all.map((model) => [`${model.id} ${model.version}`, model])).values()];
}

/**
 * Key of a record's content: from the reports, whose UIDs follow from film and analysis, and the outcomes, not from
 * times. Each correction has a key of its own.
 */
function keyOf({ studyInstanceUid, films, correction }: ResultEvent): Uid {
  const parts = films.map((film) => {
    const report = reportOf(film);
    // The UID of a report depends on what it supersedes; without a report, the superseded ones distinguish two
    // outcomes.
    const superseded = report === undefined ? [...(film.supersedes ?? [])].sort() : [];
    return [film.sopInstanceUid, film.outcome, film.reason ?? '', report?.sopInstanceUid ?? '', ...superseded].join(
      ' ',
    );
  });
  const corrected = correction === undefined ? [] : ['corrected', correction.correctedAt];
  return deriveUid(['record', studyInstanceUid, ...parts.sort(), ...corrected]);
}

/** Patient, study and order attributes of a header. */
export function attributesOf(header: PatientFacts & StudyFacts & OrderFacts): StudyAttributes {
  const { PatientID, IssuerOfPatientID, PatientName, PatientBirthDate, PatientSex } = header;
  const {
    StudyID,
    StudyDate,
    StudyTime,
    TimezoneOffsetFromUTC,
    StudyDescription,
    ReferringPhysicianName,
    InstitutionName,
  } = header;
  const {
    AccessionNumber,
    AccessionNumberIssuer,
    PlacerOrderNumberImagingServiceRequest,
    FillerOrderNumberImagingServiceRequest,
    RequestedProcedureID,
    RequestedProcedureDescription,
  } = header;
  return {
    patient: { PatientID, IssuerOfPatientID, PatientName, PatientBirthDate, PatientSex },
    study: {
      StudyID,
      StudyDate,
      StudyTime,
      TimezoneOffsetFromUTC,
      StudyDescription,
      ReferringPhysicianName,
      InstitutionName,
    },
    order: {
      AccessionNumber,
      AccessionNumberIssuer,
      PlacerOrderNumberImagingServiceRequest,
      FillerOrderNumberImagingServiceRequest,
      RequestedProcedureID,
      RequestedProcedureDescription,
    },
  };
}

const EMPTY_HEADER: FilmHeader = {
  PatientID: '',
  IssuerOfPatientID: '',
  PatientName: '',
  PatientBirthDate: '',
  PatientSex: '',
  StudyID: '',
  StudyDate: '',
  StudyTime: '',
  TimezoneOffsetFromUTC: '',
  StudyDescription: '',
  ReferringPhysicianName: '',
  InstitutionName: '',
  AccessionNumber: '',
  AccessionNumberIssuer: '',
  PlacerOrderNumberImagingServiceRequest: '',
  FillerOrderNumberImagingServiceRequest: '',
  RequestedProcedureID: '',
  RequestedProcedureDescription: '',
  Modality: '',
  ViewPosition: '',
  sopClassUid: null,
};
