/**
 * Values that are passed along the pipeline, and its ports.
 *
 *   event -> fetch -> decode -> check -> preprocess -> infer -> explain -> encode -> store -> verify -> notify
 *
 * Each value contains the one that it was made from. A stage is a function; no stage knows the next.
 */
import type { Attributes } from '../dicom/attributes';
import type { ContentDigest } from '../dicom/content-digest';
import type { InstanceReference } from '../dicom/instance';
import type { EncodedObject } from '../dicom/part10';
import type { Turn } from '../dicom/patient-orientation';
import type { PixelRemark } from '../dicom/pixels';
import type { Uid } from '../dicom/uid';
import type { NotAnalysedReason, Warning } from '../events/closed-lists';
import type { Finding } from '../events/finding';
import type { FilmResult, ResultEvent } from '../events/result-event';
import type { Plane } from '../imaging/plane';
import type { Polygon } from '../imaging/polygon';
import type { PictureKind } from '../model/manifest';
import type { FilmMeasures } from './measures';
import type { ReducedFilm } from './reduce';

export interface FetchedFilm {
  readonly reference: InstanceReference;
  /** The whole PS3.10 file. */
  readonly bytes: Uint8Array;
}

export interface DecodedFilm {
  readonly sopInstanceUid: Uid;
  readonly attributes: Attributes;
  readonly image: ReducedFilm;
}

export interface PreprocessedFilm {
  readonly decoded: DecodedFilm;
  /**
   * N = (x - min)/(max - min) at the models' input size, 0..1, in stored orientation: it is turned upright before each
   * network, and the output is turned back.
   */
  readonly normalised: Plane;
  /** Orientation of the film against the standard one of a frontal film. */
  readonly turn: Turn;
}

export interface ViewFinding {
  readonly view: 'frontal' | 'lateral';
  /** Probability of `lateral`, 0..1. */
  readonly lateralProbability: number;
}

/** What the out-of-distribution check says of a picture. */
export interface OutOfDistribution {
  /** That it is no whole, upright chest film, 0..1. */
  readonly probability: number;
  /** Probability of each kind of picture that the network knows, 0..1; empty where it names none. */
  readonly answers: ReadonlyMap<PictureKind, number>;
}

export interface LungFinding {
  /** Probability of lung per pixel, at the models' input size, in source-pixel geometry. */
  readonly probability: Plane;
  /** 1 inside the lungs, 0 outside, at the models' input size, in source-pixel geometry. */
  readonly mask: Plane;
  /** Lung pixels / film pixels, 0..1. */
  readonly lungFraction: number;
}

/** Results of the checks before the classifiers: all, or those up to a refusal. */
export type Admission =
  | {
      readonly refusal: null;
      readonly view: ViewFinding;
      readonly outOfDistribution: OutOfDistribution | null;
      readonly lungs: LungFinding;
    }
  | {
      readonly refusal: Refusal;
      /** Null where no network was run. */
      readonly view: ViewFinding | null;
      readonly outOfDistribution: OutOfDistribution | null;
      readonly lungs: LungFinding | null;
    };

/** One finding of a classifier, and its activation map. */
export interface InferredFinding {
  readonly finding: Finding;
  /**
   * Class activation before ReLU, in source-pixel geometry, at the resolution of the last convolution, or of N where
   * the network saw several regions.
   */
  readonly activation: Plane;
}

export interface InferredFilm {
  readonly preprocessed: PreprocessedFilm;
  readonly view: ViewFinding;
  readonly lungs: LungFinding;
  /** In the order of the line's classifiers and their heads; never empty. */
  readonly findings: readonly InferredFinding[];
  /** Warnings about the result; absent where nothing was checked. */
  readonly warnings?: readonly Warning[];
}

export interface ExplainedFinding {
  readonly finding: Finding;
  /** Grad-CAM after ReLU, 0..1, in source-pixel geometry but at most `heat.rows x heat.columns` samples. */
  readonly heat: Plane;
  /**
   * Outlines of the hottest region (heat >= half of its maximum inside the lungs), largest first, in source pixels;
   * never empty.
   */
  readonly hotRegions: readonly Polygon[];
}

export interface ExplainedFilm {
  readonly inferred: InferredFilm;
  /** In the order of `inferred.findings`. */
  readonly findings: readonly ExplainedFinding[];
  /** Outline of each lung, in source pixels. */
  readonly lungOutlines: readonly Polygon[];
}

export interface Refusal {
  readonly reason: NotAnalysedReason;
  /** One sentence for a radiologist, without anything about the patient. */
  readonly text: string;
}

/**
 * Outcome of one film; `content` has its digests, where it came from a file. `rejected`: no chest film, or unreadable:
 * it gets a log line and no object, unless it has a report, which is then withdrawn.
 */
export type FilmOutcome =
  | {
      readonly outcome: 'analysed';
      readonly sopInstanceUid: Uid;
      readonly explained: ExplainedFilm;
      readonly content?: ContentDigest;
    }
  | {
      readonly outcome: 'not-analysed';
      readonly sopInstanceUid: Uid;
      readonly refusal: Refusal;
      readonly attributes: Attributes;
      /** Null also where the picture may be a lateral view or no chest film. */
      readonly view: 'frontal' | 'lateral' | null;
      readonly lungFraction: number | null;
      /** Remarks on the pixels, where they could be decoded. */
      readonly remarks?: readonly PixelRemark[];
      /** `decoded` of the content digest, where the film was decoded. */
      readonly decodedDigest?: string | undefined;
      readonly content?: ContentDigest;
    }
  | { readonly outcome: 'rejected'; readonly sopInstanceUid: Uid | null; readonly refusal: Refusal };

export type { Plane };

/** Port: the archive, as the pipeline needs it; `archive/dicomweb` fits it by shape. Every method throws HilumError. */
export interface Archive {
  /** @param wanted if given, the list may end once all of these are found */
  findInstances(study: Uid, wanted?: readonly Uid[]): Promise<InstanceReference[]>;
  retrieve(
    reference: Pick<InstanceReference, 'studyInstanceUid' | 'seriesInstanceUid' | 'sopInstanceUid'>,
  ): Promise<Uint8Array>;
  /** Throws STORE_AMBIGUOUS when it is not known what was stored, STORE_FAILED naming the refused instances. */
  store(study: Uid, objects: readonly EncodedObject[]): Promise<void>;
}

/** Port: where results are announced; `queue/broker` fits it by shape. */
export interface Announcer {
  announce(result: ResultEvent): Promise<void>;
}

/** Stages that are timed. */
export const TIMED_STAGES = ['fetch', 'decode', 'infer', 'explain', 'encode', 'store', 'verify'] as const;
export type TimedStage = (typeof TIMED_STAGES)[number];

/** Port: counts films and times stages; `web/metrics` fits it by shape. */
export interface FilmObserver {
  /** A stage has ended, with or without an error, after this many seconds. */
  stage(stage: TimedStage, seconds: number): void;
  /** A film is done. */
  film(result: Pick<FilmResult, 'outcome' | 'reason'>): void;
  /** Measures of a film that could be decoded, refused or not. */
  measured?(measures: FilmMeasures): void;
}
