import type { Uid } from '../../dicom/uid';
import { RESULT_OBJECTS, SOP_CLASSES } from '../../objects/sop-classes';
import { SR_CLASSES } from '../../objects/structured-report';
import type { StudyRecord } from '../record';

/** The objects that Hilum writes, as the configuration calls them. */
export const OBJECT_KINDS = ['report', ...RESULT_OBJECTS] as const;
export type ObjectKind = (typeof OBJECT_KINDS)[number];

const classesOf = (kind: ObjectKind): readonly Uid[] =>
  kind === 'report' ? Object.values(SR_CLASSES) : [SOP_CLASSES[kind]];

/** An object of a result, as the archive has it. */
export interface ResultObject {
  readonly sopClassUid: Uid;
  readonly studyInstanceUid: Uid;
  readonly seriesInstanceUid: Uid;
  readonly sopInstanceUid: Uid;
}

/** The objects of these kinds of a study's result, film by film, in the order in which they were stored. */
export function objectsOf({ studyInstanceUid, films }: StudyRecord, kinds: readonly ObjectKind[]): ResultObject[] {
  const wanted = new Set(kinds.flatMap(classesOf));
  return films
    .flatMap(({ outputs }) => outputs)
    .filter(({ sopClassUid }) => wanted.has(sopClassUid))
    .map((output) => ({ ...output, studyInstanceUid }));
}
