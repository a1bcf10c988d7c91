import type { AnalysisIdentity } from '../objects/analysis';
import { type BootstrapOptions, estimate, type Estimate } from '../statistics/bootstrap';
import {
  calibration,
  type Calibration,
  curve,
  type CurvePoint,
  histogram,
  type HistogramBin,
} from '../statistics/curves';
import { chooseOperatingPoint, half, type OperatingPointChoice } from '../statistics/operating-point';
import { type PredictiveValues, predictiveValues } from '../statistics/predictive';
import {
  countPatients,
  type Scored,
  share,
  type Share,
  thresholdFigures,
  type ThresholdFigures,
} from '../statistics/statistics';
import { type Subgroup, subgroups } from '../statistics/subgroups';
import { weightedAuc, weightedAveragePrecision, weightedF1 } from '../statistics/weighted';
import { type Acceptance, judge } from './acceptance';
import { compare, type ComparedWith, type Comparison } from './comparison';
import { copies, type JoinedFilm } from './duplicates';
import { groupsOf } from './header-facts';
import type { FilmRecord } from './journal';
import type { LabelledFilm, Labels } from './labels';
import { patientsOf } from './patients';
import { factsOfTest, type Protocol, type TestFacts } from './protocol';
import type { Failure } from './run';

interface EvaluationSettings {
  /** The operating point of the service, and where it comes from. */
  readonly threshold: number;
  readonly thresholdFrom: 'model' | 'configuration';
  readonly wantedSensitivity: number;
  readonly bootstrap: BootstrapOptions;
}

/** A labelled film that was analysed. */
interface ReportedFilm {
  readonly file: string;
  readonly positive: boolean;
  readonly probability: number;
  readonly patient: string;
  readonly half: ReturnType<typeof half>;
}

interface Excluded {
  readonly reason: string;
  readonly positive: number;
  readonly negative: number;
  readonly files: readonly string[];
}

export interface AtThreshold extends ThresholdFigures {
  readonly f1Interval: Estimate['interval'];
}

/**
 * The threshold that the protocol proposes, on all films; or else the chosen one, on the half of the patients that it
 * was not chosen on.
 */
interface Proposed {
  readonly from: 'protocol' | 'choice';
  readonly figures: ThresholdFigures;
  readonly flagged: Share;
}

/** report.json, schema version 1: docs/evaluation-report.schema.json; a test compares. */
export interface EvaluationReport {
  readonly schemaVersion: 1;
  readonly type: 'hilum-evaluation-report';
  readonly madeAt: string;
  readonly softwareVersion: string;
  readonly models: AnalysisIdentity['models'];
  readonly finding: string;
  readonly settings: EvaluationSettings;
  readonly labels: Pick<Labels, 'positive' | 'negative' | 'guessed' | 'hasPatients' | 'problems'> & {
    readonly sha256: string;
  };
  readonly counts: {
    readonly labelled: number;
    readonly analysed: number;
    readonly positive: number;
    readonly negative: number;
    readonly patients: number;
    readonly withoutHeader: number;
    readonly withoutPatient: number;
    readonly mostOfOnePatient: number;
  };
  readonly excluded: readonly Excluded[];
  readonly unlabelled: readonly string[];
  readonly auc: Estimate;
  readonly averagePrecision: Estimate;
  readonly atHalf: AtThreshold;
  readonly atOperatingPoint: AtThreshold;
  /**
   * Sensitivity at the operating point where a positive film that the pipeline did not analyse counts as missed. Copies
   * and missing files do not count.
   */
  readonly sensitivityWithLeftOut: Share;
  readonly calibration: Calibration;
  readonly curve: readonly CurvePoint[];
  readonly subgroups: readonly Subgroup[];
  readonly choice: OperatingPointChoice;
  readonly histogram: readonly HistogramBin[];
  /** Share of the analysed films at or above the operating point. */
  readonly flagged: Share;
  /** Share of the existing films, without copies, that the pipeline did not analyse. */
  readonly notAnalysed: Share;
  readonly proposed: Proposed | null;
  /** At the prevalence that the protocol states; null where it states none. */
  readonly predictive: {
    readonly atOperatingPoint: PredictiveValues;
    readonly atProposed: PredictiveValues | null;
  } | null;
  /** Description of the test by the protocol; its criteria are in `acceptance`. */
  readonly protocol: TestFacts | null;
  readonly acceptance: Acceptance | null;
  readonly comparison: Comparison | null;
  readonly films: readonly ReportedFilm[];
}

export interface EvaluationInput {
  readonly labels: Labels;
  readonly labelsSha256: string;
  readonly records: ReadonlyMap<string, FilmRecord>;
  /** Digest of the Patient ID in the header, by file, where there is one. */
  readonly patients: ReadonlyMap<string, string>;
  readonly failures: readonly Failure[];
  readonly identity: AnalysisIdentity;
  /** Label of the evaluated finding. */
  readonly finding: string;
  readonly settings: EvaluationSettings;
  /** Files in the folder of films that the labels file does not list. */
  readonly unlabelled: readonly string[];
  readonly protocol: Protocol | null;
  /** Null where nothing is compared. */
  readonly comparedWith: ComparedWith | null;
  readonly now: Date;
}

export function makeReport(input: EvaluationInput): EvaluationReport {
  const { labels, labelsSha256, records, patients, failures, identity, finding, settings, unlabelled, now } = input;
  const joined = labels.films.map((label): JoinedFilm => ({
    label,
    record: records.get(label.file),
    headerPatient: patients.get(label.file) ?? null,
  }));
  const left = copies(joined);
  const analysed = analysedOf(joined, left, finding);
  const scored = analysed.map((film) => film.scored);
  const { positive, negative, guessed, hasPatients, problems } = labels;
  const part = {
    ...figuresOf(scored, joined, left, settings),
    calibration: calibration(scored),
    notAnalysed: notAnalysedOf(joined, left),
    choice: chooseOperatingPoint(scored, settings.wantedSensitivity),
  };
  return {
    schemaVersion: 1,
    type: 'hilum-evaluation-report',
    madeAt: now.toISOString(),
    softwareVersion: identity.softwareVersion,
    models: identity.models,
    finding,
    settings,
    labels: { positive, negative, guessed, hasPatients, problems, sha256: labelsSha256 },
    counts: { labelled: labels.films.length, ...countsOf(analysed) },
    excluded: excluded(joined, new Map([...failures.map(({ file, why }) => [file, why] as const), ...left])),
    unlabelled,
    ...part,
    curve: curve(scored),
    histogram: histogram(scored),
    subgroups: subgroups(
      analysed.map(({ label, record, scored: film }) => ({ film, groups: groupsOf(record.facts, label.groups) })),
      settings,
    ),
    ...acceptanceOf(scored, part, input),
    comparison: comparisonOf(analysed, joined, left, input),
    films: reportedFilms(analysed),
  };
}

/** Compares the figures with the protocol's criteria. */
function acceptanceOf(
  scored: readonly Scored[],
  part: Pick<EvaluationReport, 'auc' | 'calibration' | 'notAnalysed' | 'choice' | 'atOperatingPoint'>,
  { protocol, settings }: Pick<EvaluationInput, 'protocol' | 'settings'>,
): Pick<EvaluationReport, 'flagged' | 'proposed' | 'predictive' | 'protocol' | 'acceptance'> {
  const proposed = proposedOf(scored, protocol?.threshold, part.choice);
  const predictiveAt = ({ sensitivity, specificity }: ThresholdFigures) =>
    protocol?.prevalence === undefined ? null : predictiveValues(sensitivity, specificity, protocol.prevalence);
  const atOperatingPoint = predictiveAt(part.atOperatingPoint);
  const atProposed = proposed === null ? null : predictiveAt(proposed.figures);
  const judgedAt = protocol?.threshold ?? settings.threshold;
  const figures = thresholdFigures(scored, judgedAt);
  const { sensitivity, specificity } = figures;
  const acceptance = judge(protocol, judgedAt, {
    auc: part.auc,
    calibration: part.calibration,
    notAnalysed: part.notAnalysed,
    sensitivity,
    specificity,
    predictive: predictiveAt(figures),
    flagged: flaggedBy(figures),
    patients: countPatients(scored),
  });
  return {
    flagged: flaggedBy(part.atOperatingPoint),
    proposed,
    predictive: atOperatingPoint === null ? null : { atOperatingPoint, atProposed },
    protocol: protocol && factsOfTest(protocol),
    acceptance,
  };
}

function proposedOf(
  scored: readonly Scored[],
  threshold: number | undefined,
  { measured }: OperatingPointChoice,
): Proposed | null {
  const figures = threshold === undefined ? measured : thresholdFigures(scored, threshold);
  if (figures === null) return null;
  return { from: threshold === undefined ? 'choice' : 'protocol', figures, flagged: flaggedBy(figures) };
}

/** Number of films at or above the threshold, of all in a confusion table. */
function flaggedBy({ confusion }: Pick<ThresholdFigures, 'confusion'>): Share {
  const { truePositive, falsePositive, falseNegative, trueNegative } = confusion;
  const called = truePositive + falsePositive;
  return share(called, called + falseNegative + trueNegative);
}

function notAnalysedOf(joined: readonly JoinedFilm[], left: ReadonlyMap<string, string>): Share {
  const there = joined.filter(({ label, record }) => record !== undefined && !left.has(label.file));
  return share(there.filter(({ record }) => record!.outcome !== 'analysed').length, there.length);
}

function comparisonOf(
  analysed: readonly AnalysedFilm[],
  joined: readonly JoinedFilm[],
  left: ReadonlyMap<string, string>,
  { comparedWith, finding, settings }: Pick<EvaluationInput, 'comparedWith' | 'finding' | 'settings'>,
): Comparison | null {
  if (comparedWith === null) return null;
  const films = analysed.map(({ label, scored }) => ({ file: label.file, scored }));
  const all = joined.map(({ label }) => label.file).filter((file) => !left.has(file));
  return compare(films, all, { finding, threshold: settings.threshold, bootstrap: settings.bootstrap }, comparedWith);
}

interface AnalysedFilm {
  readonly label: LabelledFilm;
  readonly record: FilmRecord;
  readonly scored: Scored;
  readonly isPatientUnknown: boolean;
}

/** @param left copies of other films, which do not count */
function analysedOf(joined: readonly JoinedFilm[], left: ReadonlyMap<string, string>, finding: string): AnalysedFilm[] {
  const patients = patientsOf(joined);
  return joined.flatMap(({ label, record }) => {
    const score = record?.probabilities[finding];
    if (record === undefined || score === undefined || left.has(label.file)) return [];
    const { patient, isUnknown } = patients.get(label.file)!;
    const scored = { positive: label.positive, score, patient };
    return [{ label, record, scored, isPatientUnknown: isUnknown }];
  });
}

function countsOf(analysed: readonly AnalysedFilm[]): Omit<EvaluationReport['counts'], 'labelled'> {
  const count = (fits: (film: AnalysedFilm) => boolean) => analysed.filter(fits).length;
  const patients = analysed.map(({ scored }) => scored.patient);
  return {
    analysed: analysed.length,
    positive: count(({ scored }) => scored.positive),
    negative: count(({ scored }) => !scored.positive),
    patients: new Set(patients).size,
    withoutHeader: count(({ record }) => record.kind !== 'dicom'),
    withoutPatient: count(({ isPatientUnknown }) => isPatientUnknown),
    mostOfOnePatient: mostOfOne(patients),
  };
}

type Figures = Pick<
  EvaluationReport,
  'auc' | 'averagePrecision' | 'atHalf' | 'atOperatingPoint' | 'sensitivityWithLeftOut'
>;

function figuresOf(
  scored: readonly Scored[],
  joined: readonly JoinedFilm[],
  left: ReadonlyMap<string, string>,
  { threshold, bootstrap }: EvaluationSettings,
): Figures {
  const atOperatingPoint = atThreshold(scored, threshold, bootstrap);
  const withFinding = joined.filter(
    ({ label, record }) => label.positive && record !== undefined && !left.has(label.file),
  ).length;
  return {
    auc: estimate(scored, weightedAuc, bootstrap),
    averagePrecision: estimate(scored, weightedAveragePrecision, bootstrap),
    atHalf: atThreshold(scored, 0.5, bootstrap),
    atOperatingPoint,
    sensitivityWithLeftOut: share(atOperatingPoint.confusion.truePositive, withFinding),
  };
}

/** Patients are numbered in order of appearance: no name or digest of one leaves the computation. */
function reportedFilms(analysed: readonly AnalysedFilm[]): ReportedFilm[] {
  const numbers = new Map([...new Set(analysed.map(({ scored }) => scored.patient))].map((name, i) => [name, i + 1]));
  return analysed.map(({ label, scored }) => ({
    file: label.file,
    positive: scored.positive,
    probability: scored.score,
    patient: `patient ${numbers.get(scored.patient)!}`,
    half: half(scored.patient),
  }));
}

/** Number of occurrences of the most frequent name. */
function mostOfOne(names: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Math.max(0, ...counts.values());
}

function atThreshold(films: readonly Scored[], threshold: number, options: BootstrapOptions): AtThreshold {
  return {
    ...thresholdFigures(films, threshold),
    f1Interval: estimate(films, weightedF1(threshold), options).interval,
  };
}

/** @param others reasons that do not come from the pipeline, by file */
function excluded(joined: readonly JoinedFilm[], others: ReadonlyMap<string, string>): Excluded[] {
  const reasons = new Map<string, LabelledFilm[]>();
  for (const { label, record } of joined) {
    const other = others.get(label.file);
    if (record?.outcome === 'analysed' && other === undefined) continue;
    const reason = record?.reason ?? other ?? 'not looked at';
    reasons.set(reason, [...(reasons.get(reason) ?? []), label]);
  }
  return [...reasons]
    .map(([reason, films]) => ({
      reason,
      positive: films.filter(({ positive }) => positive).length,
      negative: films.filter(({ positive }) => !positive).length,
      files: films.map(({ file }) => file),
    }))
    .sort((a, b) => b.positive + b.negative - a.positive - a.negative || (a.reason < b.reason ? -1 : 1));
}
