import { createHash } from 'node:crypto';
import { countPatients, type PatientCount, type Scored, thresholdFigures, type ThresholdFigures } from './statistics';

/**
 * Fewest patients of each class in each half for a threshold to be applied: with 30, the interval of a sensitivity of
 * 95 % still begins at about 81 %.
 */
export const MIN_PATIENTS = 30;

/** A threshold for a wanted sensitivity, chosen on one half of the patients and measured on the other. */
export interface OperatingPointChoice {
  readonly wantedSensitivity: number;
  /** Null when the first half has no positive film. */
  readonly threshold: number | null;
  readonly patients: { readonly chosenOn: PatientCount; readonly measuredOn: PatientCount };
  /** Figures on the half that the threshold was not chosen on. */
  readonly measured: ThresholdFigures | null;
  /** Reasons against applying it; empty where it may be applied. */
  readonly objections: readonly string[];
}

/** Half of a patient, by a hash, so that it depends neither on the order of films nor on later additions. */
export function half(patient: string): 'chosenOn' | 'measuredOn' {
  return (createHash('sha256').update(`half ${patient}`).digest()[0]! & 1) === 0 ? 'chosenOn' : 'measuredOn';
}

export function chooseOperatingPoint(films: readonly Scored[], wantedSensitivity: number): OperatingPointChoice {
  const of = (name: ReturnType<typeof half>) => films.filter(({ patient }) => half(patient) === name);
  const [first, second] = [of('chosenOn'), of('measuredOn')];
  const threshold = thresholdFor(first, wantedSensitivity);
  const patients = { chosenOn: countPatients(first), measuredOn: countPatients(second) };
  const measured = threshold === null ? null : thresholdFigures(second, threshold);
  return {
    wantedSensitivity,
    threshold,
    patients,
    measured,
    objections: objections(patients, measured, wantedSensitivity),
  };
}

/**
 * The highest threshold that reaches the sensitivity on these films, rounded down to six digits so that it still does;
 * null without a positive film.
 */
export function thresholdFor(films: readonly Scored[], sensitivity: number): number | null {
  const scores = films
    .filter(({ positive }) => positive)
    .map(({ score }) => score)
    .sort((a, b) => b - a);
  if (scores.length === 0) return null;
  // A product such as 0.95 * 20 may be slightly above the whole number.
  const needed = Math.max(1, Math.ceil(sensitivity * scores.length - 1e-9));
  return Math.floor(scores[needed - 1]! * 1e6) / 1e6;
}

function objections(
  patients: OperatingPointChoice['patients'],
  measured: ThresholdFigures | null,
  wanted: number,
): string[] {
  const counts = [patients.chosenOn, patients.measuredOn].flatMap(({ positive, negative }) => [positive, negative]);
  const few =
    Math.min(...counts) < MIN_PATIENTS
      ? [
          `too few patients: each half needs ${MIN_PATIENTS} with and ${MIN_PATIENTS} without the finding, ` +
            `and the smallest of the four groups has ${Math.min(...counts)}`,
        ]
      : [];
  const upper = measured?.sensitivity.interval?.[1];
  const missed =
    upper !== undefined && upper < wanted
      ? [
          'the sensitivity does not hold: on the other half of the patients even the upper end of its interval ' +
            `(${(100 * upper).toFixed(1)} %) is below ${(100 * wanted).toFixed(1)} %`,
        ]
      : [];
  return [...few, ...missed, ...chance(measured)];
}

/** Objection to a threshold that calls nearly every film, which reaches any sensitivity. */
function chance(measured: ThresholdFigures | null): string[] {
  const [sensitivity, specificity] = [measured?.sensitivity.value, measured?.specificity.value];
  if (typeof sensitivity !== 'number' || typeof specificity !== 'number' || sensitivity + specificity > 1) return [];
  return [
    `it tells nothing: on the other half of the patients ${(100 * sensitivity).toFixed(1)} % of the films with ` +
      `the finding are called, and ${(100 * (1 - specificity)).toFixed(1)} % of those without`,
  ];
}
