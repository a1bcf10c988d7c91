import type { Annotation, Observation, ObservationComponent, Quantity, Reference } from 'fhir/r4';
import { areAllInShadow, isInShadow, liveFindings } from '../../finding/finding';
import type { Code } from '../../dicom/code';
import type { Finding } from '../../events/finding';
import { CODES } from '../../objects/codes';
import { reportOf } from '../../objects/film-result';
import type { FilmRecord } from '../record';
import { DELIVERY_CODES, filmStatement, filmStatus, isWithdrawn, replacementNotes, VIEW_CODES } from '../statements';
import { concept, type Shared, STATUS_CODES } from './types';

const CATEGORY = {
  value: 'imaging',
  scheme: 'http://terminology.hl7.org/CodeSystem/observation-category',
  meaning: 'Imaging',
};
const UNIT = { unit: '1', system: 'http://unitsofmeasure.org', code: '1' };

/** `name` distinguishes the observations of a film and is part of the identifier: never change one. */
export interface NamedResource {
  readonly name: string;
  readonly resource: Observation;
}

/**
 * An Observation for each finding's probability, with components, and one for the lungs' share of the film where it was
 * measured.
 */
export function filmObservations(told: FilmRecord, shared: Shared): NamedResource[] {
  // The values of a withdrawn result stay, marked as entered in error.
  const film = isWithdrawn(told) ? { ...told, ...told.withdrawn } : told;
  const live = liveFindings(film.findings);
  const findings = live.length === 0 ? [undefined] : live;
  return [
    ...findings.map((finding, index) => ({
      name:
        index === 0 || finding === undefined
          ? 'probability'
          : `probability ${finding.code.scheme} ${finding.code.value}`,
      resource: {
        ...base(film, shared, CODES.exactProbability, CODES.probability),
        ...probability(film, finding),
        note: notes(film),
      },
    })),
    ...(film.lungFraction === null
      ? []
      : [
          {
            name: 'lung-fraction',
            resource: { ...base(film, shared, CODES.lungFraction), valueQuantity: quantity(film.lungFraction) },
          },
        ]),
  ];
}

/**
 * Observations of earlier results that the new one lacks: nothing takes their place, so they are entered in error, with
 * the values of the last result that had them.
 */
export function outdatedObservations(film: FilmRecord, shared: Shared): NamedResource[] {
  const current = new Set(filmObservations(film, shared).map(({ name }) => name));
  const outdated = (film.earlier ?? [])
    .flatMap((result) => filmObservations({ ...film, ...result, supersedes: [], remarks: [] }, shared))
    .filter(({ name }) => !current.has(name));
  const last = new Map(outdated.map(({ name, resource }) => [name, resource]));
  return [...last].map(([name, resource]) => ({ name, resource: { ...resource, status: STATUS_CODES.withdrawn } }));
}

function base(film: FilmRecord, shared: Shared, ...codes: Code[]): Observation {
  const { subject, device, issued, basedOn } = shared;
  const report = reportOf(film);
  return {
    resourceType: 'Observation',
    ...(basedOn.length === 0 ? {} : { basedOn: [...basedOn] }),
    status: STATUS_CODES[filmStatus(film, shared)],
    category: [concept(CATEGORY)],
    code: concept(...codes),
    subject,
    issued,
    device,
    ...(report === undefined ? {} : { derivedFrom: [instance(report.sopInstanceUid)] }),
  };
}

/** A film without a result has no value but a reason, so that nobody takes it for normal. */
function probability(film: FilmRecord, finding: Finding | undefined): Partial<Observation> {
  const inShadow = areAllInShadow(film.findings);
  const value = inShadow ? null : (finding?.probability ?? film.probability);
  const absent = isInShadow(film) ? NOT_PERMITTED : NOT_PERFORMED;
  return {
    ...(value === null
      ? { dataAbsentReason: { ...concept(absent), text: filmStatement(film) } }
      : { valueQuantity: quantity(value) }),
    component: components(film, finding),
  };
}

function components(
  { sopInstanceUid, outcome, view, reason }: FilmRecord,
  finding: Finding | undefined,
): ObservationComponent[] {
  const point = finding?.operatingPoint ?? null;
  return [
    { code: concept(DELIVERY_CODES.film), valueString: sopInstanceUid },
    { code: concept(CODES.outcome), valueString: outcome },
    ...(view === null ? [] : [{ code: concept(CODES.imageView), valueCodeableConcept: concept(VIEW_CODES[view]) }]),
    ...(finding === undefined
      ? []
      : [{ code: concept(DELIVERY_CODES.positiveClass), valueCodeableConcept: concept(finding.code) }]),
    ...(point === null ? [] : [{ code: concept(DELIVERY_CODES.operatingPoint), valueQuantity: quantity(point) }]),
    ...(reason === null ? [] : [{ code: concept(CODES.reason), valueString: reason }]),
  ];
}

const ABSENT = 'http://terminology.hl7.org/CodeSystem/data-absent-reason';
const NOT_PERFORMED: Code = { value: 'not-performed', scheme: ABSENT, meaning: 'Not Performed' };
/** There is a probability, of a finding in shadow, which is not for a reader. */
const NOT_PERMITTED: Code = { value: 'not-permitted', scheme: ABSENT, meaning: 'Not Permitted' };

function notes(film: FilmRecord): Annotation[] {
  return [filmStatement(film), ...film.remarks, ...replacementNotes(film)].map((text) => ({ text }));
}

function quantity(value: number): Quantity {
  return { value, ...UNIT };
}

/** Reference to the Structured Report in the archive by its SOP Instance UID. */
function instance(uid: string): Reference {
  return { type: 'DocumentReference', identifier: { system: 'urn:dicom:uid', value: `urn:oid:${uid}` } };
}
