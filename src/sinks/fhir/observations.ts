import { type Code, CODES } from '../../objects/codes';
import type { FilmRecord } from '../record';
import { DELIVERY_CODES, filmStatement, reportOf, VIEW_CODES } from '../statements';
import { concept, type Resource, type Shared } from './types';

const CATEGORY = {
  value: 'imaging',
  scheme: 'http://terminology.hl7.org/CodeSystem/observation-category',
  meaning: 'Imaging',
};
const UNIT = { unit: '1', system: 'http://unitsofmeasure.org', code: '1' };

/**
 * One Observation of the finding's probability, with what belongs to it as components, and one of the lungs' part of
 * the film where it was looked at.
 */
export function filmObservations(film: FilmRecord, shared: Shared): { name: string; resource: Resource }[] {
  return [
    {
      name: 'probability',
      resource: {
        ...base(film, shared, CODES.exactProbability, CODES.probability),
        ...probability(film),
        note: notes(film),
      },
    },
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

function base(film: FilmRecord, { subject, device, issued, basedOn }: Shared, ...codes: Code[]): Resource {
  const report = reportOf(film);
  return {
    resourceType: 'Observation',
    ...(basedOn.length === 0 ? {} : { basedOn }),
    status: 'preliminary',
    category: [concept(CATEGORY)],
    code: concept(...codes),
    subject,
    issued,
    device,
    ...(report === undefined ? {} : { derivedFrom: [instance(report.sopInstanceUid)] }),
  };
}

/** A film that was not analysed has no value, but says why not: nobody may take silence for an all-clear. */
function probability(film: FilmRecord): object {
  const { view, threshold, finding } = film;
  const components = [
    { code: concept(DELIVERY_CODES.film), valueString: film.sopInstanceUid },
    { code: concept(CODES.outcome), valueString: film.outcome },
    ...(view === null ? [] : [{ code: concept(CODES.imageView), valueCodeableConcept: concept(VIEW_CODES[view]) }]),
    ...(finding === null
      ? []
      : [{ code: concept(DELIVERY_CODES.positiveClass), valueCodeableConcept: concept(finding) }]),
    ...(threshold === null
      ? []
      : [{ code: concept(DELIVERY_CODES.operatingPoint), valueQuantity: quantity(threshold) }]),
    ...(film.reason === null ? [] : [{ code: concept(CODES.reason), valueString: film.reason }]),
  ];
  const value =
    film.probability === null
      ? { dataAbsentReason: { ...concept(NOT_PERFORMED), text: filmStatement(film) } }
      : { valueQuantity: quantity(film.probability) };
  return { ...value, component: components };
}

const NOT_PERFORMED: Code = {
  value: 'not-performed',
  scheme: 'http://terminology.hl7.org/CodeSystem/data-absent-reason',
  meaning: 'Not Performed',
};

function notes(film: FilmRecord): object[] {
  return [filmStatement(film), ...film.remarks].map((text) => ({ text }));
}

function quantity(value: number): object {
  return { value, ...UNIT };
}

/** The Structured Report in the archive, by its SOP Instance UID. */
function instance(uid: string): object {
  return { type: 'DocumentReference', identifier: { system: 'urn:dicom:uid', value: `urn:oid:${uid}` } };
}
