import type { Uid } from '../../dicom/uid';
import { RESULT_OBJECTS, SOP_CLASSES } from '../../objects/sop-classes';
import { SR_CLASSES } from '../../objects/structured-report';
import type { StudyRecord } from '../record';

/** Kinds of objects that Hilum writes, by the configuration's names. */
export const OBJECT_KINDS = ['report', ...RESULT_OBJECTS] as const;
export type ObjectKind = (typeof OBJECT_KINDS)[number];

const classesOf = (kind: ObjectKind): readonly Uid[] =>
  kind === 'report' ? Object.values(SR_CLASSES) : [SOP_CLASSES[kind]];

/** UIDs of an object of a result in the archive. */
export interface ResultObject {
  readonly sopClassUid: Uid;
  readonly studyInstanceUid: Uid;
  readonly seriesInstanceUid: Uid;
  readonly sopInstanceUid: Uid;
}

/** Objects of these kinds in a study's result, film by film, in the order of storing. */
export function objectsOf({ studyInstanceUid, films }: StudyRecord, kinds: readonly ObjectKind[]): ResultObject[] {
  const wanted = new Set(kinds.flatMap(classesOf));
  return films
    .flatMap(({ outputs }) => outputs)
    .filter(({ sopClassUid }) => wanted.has(sopClassUid))
    .map((output) => ({ ...output, studyInstanceUid }));
}
