import type { DicomWebArchive } from '../archive/dicomweb';
import { HilumError } from '../base/errors';
import { createLog } from '../base/log';
import { candidatesOf, countUndated, type ReanalysisTarget } from '../catch-up/reanalyze';
import type { Config } from '../config/config';
import type { Uid } from '../dicom/uid';
import { refreshAttributes } from '../worklist/attribute-refresh';
import type { FoundAttributes } from '../worklist/attributes';
import { rebuildRecord } from '../worklist/rebuild';
import type { StudySummary } from '../worklist/record-columns';
import type { Worklist } from '../worklist/worklist';
import { openArchive } from './archive';
import { type CommandTrail, withTrail } from './audit';
import { openList } from './list';

export interface RebuiltStudy {
  readonly studyInstanceUid: Uid;
  /**
   * `corrected`: the list has the result already, and its patient or study attributes were updated from the archive.
   */
  readonly outcome: 'written' | 'known' | 'corrected' | 'no-report' | 'failed';
  /** Why it failed. */
  readonly error?: HilumError;
}

export interface RebuildOptions {
  /** Reads studies again that the list has a result of. */
  readonly again: boolean;
  /** Called for each study when it is done. */
  readonly onStudy: (study: RebuiltStudy) => void;
  /**
   * Called at the end of a search by days with the number of studies that have no Study Date and were left out; null:
   * not known.
   */
  readonly onUndated: (studies: number | null) => void;
}

/**
 * Fills the reading list from the reports in the archive, study by study. Existing rows and verdicts stay; patient and
 * study attributes are updated. It can be stopped and run again.
 * @throws HilumError when archive or database is away; a study that the archive refuses is reported as failed
 */
export async function rebuildList(
  config: Config,
  target: ReanalysisTarget,
  { again, onStudy, onUndated }: RebuildOptions,
): Promise<void> {
  const archive = openArchive(config);
  const { database, worklist } = openList({ list: { ...config.list, enabled: true } }, archive, createLog('silent'))!;
  try {
    await database.ready();
    await withTrail(config, async (trail) => {
      for await (const study of reportedStudies(archive, target))
        onStudy(
          await rebuildStudy(study, again, { archive, worklist, trail }).catch((error: unknown) =>
            failed(study, error),
          ),
        );
    });
    if ('from' in target) onUndated(await countUndated(archive));
  } finally {
    await database.close();
    await archive.close();
  }
}

async function rebuildStudy(
  studyInstanceUid: Uid,
  again: boolean,
  { archive, worklist, trail }: { archive: DicomWebArchive; worklist: Worklist; trail: CommandTrail },
): Promise<RebuiltStudy> {
  const isKnown = await worklist.hasResult(studyInstanceUid);
  // The patient of a row is recorded in the audit trail before the list is written.
  const recorded = ({ PatientID, AccessionNumber }: Named) =>
    trail.record({
      kind: isKnown ? 'study-updated' : 'study-created',
      studies: [{ studyInstanceUid, patientId: PatientID || null, accessionNumber: AccessionNumber || null }],
    });
  const recording: Pick<Worklist, 'known' | 'correct'> = {
    known: (study) => worklist.known(study),
    correct: (study, found) => worklist.correct(study, found, () => recorded(namedBy(found))),
  };
  const isCorrected =
    isKnown && (await refreshAttributes(studyInstanceUid, { worklist: recording, archive })).length > 0;
  const there = isCorrected ? 'corrected' : 'known';
  if (isKnown && !again) return { studyInstanceUid, outcome: there };
  const record = await rebuildRecord(studyInstanceUid, archive);
  if (record === null) return { studyInstanceUid, outcome: isCorrected ? there : 'no-report' };
  await recorded({ ...record.patient, ...record.order });
  return { studyInstanceUid, outcome: (await worklist.record(record)) ? 'written' : there };
}

/** Attributes by which the audit trail names a patient's study. */
type Named = Pick<StudySummary, 'PatientID' | 'AccessionNumber'>;

function namedBy(found: FoundAttributes): Named {
  return found.of === 'film' ? { ...found.attributes.patient, ...found.attributes.order } : found.summary;
}

/**
 * A study that the archive refuses, or does not list completely, is skipped; an archive or a database that is away ends
 * the rebuild.
 */
function failed(studyInstanceUid: Uid, error: unknown): RebuiltStudy {
  const concernsStudyAlone =
    error instanceof HilumError &&
    (error.lasting === 'permanent' || error.code === 'ARCHIVE_RESPONSE_INVALID') &&
    !error.code.startsWith('DATABASE');
  if (!concernsStudyAlone) throw error;
  return { studyInstanceUid, outcome: 'failed', error };
}

/**
 * Studies that may have a report of Hilum: named ones, or those of some days (the newest weeks first), or those without
 * a date. One page of the archive is held at a time.
 */
async function* reportedStudies(archive: DicomWebArchive, target: ReanalysisTarget): AsyncGenerator<Uid> {
  if ('studies' in target) return yield* target.studies;
  for await (const studies of candidatesOf(target, archive)) {
    for (const { studyInstanceUid, modalities } of studies)
      if (modalities === null || modalities.includes('SR')) yield studyInstanceUid;
  }
}
