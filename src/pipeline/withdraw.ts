import { HilumError } from '../base/errors';
import type { Attributes } from '../dicom/attributes';
import type { ContentDigest } from '../dicom/content-digest';
import type { InstanceReference } from '../dicom/instance';
import { readPart10 } from '../dicom/read';
import type { Uid } from '../dicom/uid';
import type { NotAnalysedReason } from '../events/closed-lists';
import type { FilmState } from '../objects/analysis';
import { readReport } from '../objects/report-reader';
import { plainRefusal } from './refusal';
import type { FilmReports } from './reports';
import type { Archive, FilmOutcome } from './stage';

/** Why the result of a film does not hold any more. */
export interface WithdrawalCause {
  readonly reason: NotAnalysedReason;
  /** Content that the film has now; absent where it was rejected without a look at it. */
  readonly content?: ContentDigest;
}

/** Replacement of a result whose film was rejected. */
export interface Withdrawal {
  readonly outcome: FilmOutcome;
  readonly state: FilmState;
}

/**
 * Withdraws the result of a film: a new report says that the film was rejected, and names the earlier ones as
 * predecessors. Patient and study are copied from the report in effect, so that it also works where the archive does
 * not list the film, or where it can't be read any more.
 * @param listed the film, where the archive still lists it
 * @throws HilumError of the archive; ENCODE_FAILED where the film's series is unknown
 */
export async function withdraw(
  study: Uid,
  { inEffect, heads }: FilmReports,
  { reason, content, listed }: WithdrawalCause & { readonly listed: InstanceReference | undefined },
  archive: Pick<Archive, 'retrieve'>,
): Promise<Withdrawal> {
  const { film, report, digest } = inEffect.links;
  const { attributes } = readPart10(await archive.retrieve({ studyInstanceUid: study, ...report }));
  return {
    outcome: {
      outcome: 'not-analysed',
      sopInstanceUid: film,
      refusal: plainRefusal(reason),
      attributes: { ...attributes, ...filmReference(listed ?? locate(attributes)), Modality: listed?.modality },
      view: null,
      lungFraction: null,
    },
    state: { digest: content ?? digest, predecessors: heads.map(({ links }) => links.report), isDistinct: true },
  };
}

function filmReference({ sopClassUid, seriesInstanceUid, sopInstanceUid }: FilmLocation): Attributes {
  return { SOPClassUID: sopClassUid, SeriesInstanceUID: seriesInstanceUid, SOPInstanceUID: sopInstanceUid };
}

type FilmLocation = Pick<InstanceReference, 'sopClassUid' | 'seriesInstanceUid' | 'sopInstanceUid'>;

/** The film's reference in the report's evidence. */
function locate(report: Attributes): FilmLocation {
  const { film, sopInstanceUid } = readReport(report);
  if (film === null)
    throw new HilumError('ENCODE_FAILED', 'permanent', 'the report does not tell in which series its film is');
  return { ...film, sopInstanceUid };
}
