import { parseUid, type Uid } from '../../dicom/uid';
import { type ResultObject, SOP_CLASSES } from '../../objects/sop-classes';
import { SR_CLASSES } from '../../objects/structured-report';
import type { FilmRecord, StudyRecord } from '../../sinks/record';
import { BadRequest } from './answers';

/** UIDs of an object in the archive. */
export interface ObjectPath {
  readonly studyInstanceUid: Uid;
  readonly seriesInstanceUid: Uid;
  readonly sopInstanceUid: Uid;
}

/** A film of a study's result. @throws BadRequest 404 */
export function filmOf(record: StudyRecord | null, film: Uid): FilmRecord {
  const found = record?.films.find(({ sopInstanceUid }) => sopInstanceUid === film);
  if (found === undefined) throw new BadRequest(404, 'there is no such film on the list');
  return found;
}

/** @throws BadRequest 404 where the film's series is unknown */
export function filmPath(study: Uid, { seriesInstanceUid, sopInstanceUid }: FilmRecord): ObjectPath {
  if (seriesInstanceUid === null) throw new BadRequest(404, 'the archive does not have this film');
  return { studyInstanceUid: study, seriesInstanceUid, sopInstanceUid };
}

/** The first object of a kind that was written of a film; null where there is none. */
export function objectPath(study: Uid, { outputs }: FilmRecord, kind: ResultObject | 'report'): ObjectPath | null {
  const classes: readonly string[] = kind === 'report' ? Object.values(SR_CLASSES) : [SOP_CLASSES[kind]];
  const found = outputs.find(({ sopClassUid }) => classes.includes(parseUid(sopClassUid)));
  return found === undefined
    ? null
    : { studyInstanceUid: study, seriesInstanceUid: found.seriesInstanceUid, sopInstanceUid: found.sopInstanceUid };
}
