import { HilumError } from '../base/errors';
import { bytesDigest, isSameContent } from '../dicom/content-digest';
import type { InstanceReference } from '../dicom/instance';
import type { Uid } from '../dicom/uid';
import { checkHeader, isByHeader } from './check';
import { decodedContent, encodedContent, open, refusalOf } from './decode';
import type { AnalysisIdentity } from './encode';
import type { FilmReader } from './film-reader';
import { saysRejected, type Rejections } from './rejections';
import { type FilmReports, isReadBy } from './reports';
import type { Archive } from './stage';
import type { StudyInventory } from './inventory';

export interface DueOptions {
  /** Compare the content of films with the digests in their reports. */
  readonly compare: boolean;
  /** Films that only other versions or settings have analysed are due. */
  readonly reanalyze: boolean;
  readonly rejections: Rejections;
  readonly reader: FilmReader;
  readonly archive: Pick<Archive, 'retrieve'>;
}

/**
 * The films of a study that have to be analysed: those without a report, those whose content differs from the one in
 * the report in effect, and those that their header refused and does not any more. A report of any version counts, so
 * that an upgrade does not analyse the whole archive again.
 * A rejected film is due where the report in effect does not state the rejection, or another reason; a film whose
 * rejection was taken back is due where the report still states it.
 * @throws HilumError of the archive
 */
export async function dueFilms(
  study: Uid,
  { films }: StudyInventory,
  reports: ReadonlyMap<Uid, FilmReports>,
  identity: AnalysisIdentity,
  options: DueOptions,
): Promise<InstanceReference[]> {
  const due: InstanceReference[] = [];
  for (const { film } of films) {
    const known = reports.get(film.sopInstanceUid);
    if (known === undefined || (await isDue(film, known, study, identity, options))) due.push(film);
  }
  return due;
}

async function isDue(
  film: InstanceReference,
  known: FilmReports,
  study: Uid,
  identity: AnalysisIdentity,
  options: DueOptions,
): Promise<boolean> {
  if (!says(known, film.sopInstanceUid, options.rejections)) return true;
  if (isWithdrawn(known) || options.rejections.reasons.has(film.sopInstanceUid)) return false;
  if (options.reanalyze && !isReadBy(known, study, identity)) return true;
  return options.compare && hasChanged(film, known.inEffect, identity, options);
}

/**
 * Rejected films that the archive does not list any more, as Image Managers may do (IHE RAD TF-3 section 4.66.4.1.3),
 * and whose report in effect does not state the rejection.
 */
export function hiddenFilms(
  { films }: StudyInventory,
  reports: ReadonlyMap<Uid, FilmReports>,
  rejections: Rejections,
): Uid[] {
  const listed = new Set<Uid>(films.map(({ film }) => film.sopInstanceUid));
  const rejected = [...reports].filter(([film]) => !listed.has(film) && rejections.reasons.has(film));
  return rejected.filter(([film, known]) => !says(known, film, rejections)).map(([film]) => film);
}

/**
 * Whether the report in effect agrees with the rejection notes on this film. A report that can't be read is left, and
 * so is a withdrawal while a note can't be read, which may be the film's.
 */
function says(known: FilmReports, film: Uid, { reasons, isWhole }: Rejections): boolean {
  const reason = reasons.get(film);
  if (known.inEffect.result === null) return true;
  if (!isWithdrawn(known)) return reason === undefined;
  return !isWhole || known.inEffect.result.reason === reason;
}

function isWithdrawn({ inEffect: { result } }: FilmReports): boolean {
  return result !== null && saysRejected(result);
}

/**
 * Whether a film's content differs from its report's, or a header that refused it does so no more. Without a digest (a
 * report of version 0.1) the content counts as unchanged; so does a film that the archive does not return.
 */
async function hasChanged(
  film: InstanceReference,
  { links: { digest: seen }, result }: FilmReports['inEffect'],
  { minimumAge }: AnalysisIdentity,
  { reader, archive }: DueOptions,
): Promise<boolean> {
  const refused = result !== null && isByHeader(result) ? result.reason : null;
  if (seen === null && refused === null) return false;
  const bytes = await retrieveFilm(film, archive);
  if (bytes === null) return false;
  try {
    const { opened, attributes } = await open(bytes, reader);
    if (refused !== null && checkHeader(attributes, minimumAge)?.reason !== refused) return true;
    if (seen === null) return false;
    return !(await isSameContent(seen, {
      encoded: encodedContent(opened),
      decoded: () => decodedContent(opened, reader),
    }));
  } catch (error) {
    if (refusalOf(error) === null) throw error;
    return seen !== null && seen.encoded !== bytesDigest(bytes);
  }
}

async function retrieveFilm(film: InstanceReference, archive: Pick<Archive, 'retrieve'>): Promise<Uint8Array | null> {
  try {
    return await archive.retrieve(film);
  } catch (error) {
    if (error instanceof HilumError && (error.code === 'NOT_FOUND' || error.code === 'DICOM_UNREADABLE')) return null;
    throw error;
  }
}
