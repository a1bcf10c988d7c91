import { HilumError } from '../base/errors';
import type { Attributes } from '../dicom/attributes';
import type { InstanceReference } from '../dicom/instance';
import { readPart10 } from '../dicom/read';
import type { Uid } from '../dicom/uid';
import type { RejectionReason } from '../events/closed-lists';
import type { FilmState } from '../objects/analysis';
import { readReport } from '../objects/report-reader';
import { plainRefusal } from './refusal';
import type { FilmReports } from './reports';
import type { Archive, FilmOutcome } from './stage';

/** What takes the place of a result whose film was rejected. */
export interface Withdrawal {
  readonly outcome: FilmOutcome;
  readonly state: FilmState;
}

/**
 * Withdraws the result of a film: its next report says that the film was rejected, and names the earlier ones as its
 * predecessors. All that it says of patient and study is taken from the report in effect, so that it can also be made
 * where the archive hides the film.
 * @param listed the film, where the archive lists it still
 * @throws HilumError of the archive; ENCODE_FAILED where nothing tells where the film is.
 */
export async function withdraw(
  study: Uid,
  { inEffect, heads }: FilmReports,
  { reason, listed }: { readonly reason: RejectionReason; readonly listed: InstanceReference | undefined },
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
    state: { digest, predecessors: heads.map(({ links }) => links.report), isDistinct: true },
  };
}

function filmReference({ sopClassUid, seriesInstanceUid, sopInstanceUid }: FilmLocation): Attributes {
  return { SOPClassUID: sopClassUid, SeriesInstanceUID: seriesInstanceUid, SOPInstanceUID: sopInstanceUid };
}

type FilmLocation = Pick<InstanceReference, 'sopClassUid' | 'seriesInstanceUid' | 'sopInstanceUid'>;

/** The film as the report's evidence has it. */
function locate(report: Attributes): FilmLocation {
  const { film, sopInstanceUid } = readReport(report);
  if (film === null)
    throw new HilumError('ENCODE_FAILED', 'permanent', 'the report does not tell in which series its film is');
  return { ...film, sopInstanceUid };
}
