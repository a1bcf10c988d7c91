/**
 * The values that travel along the line, and the ports that the line needs.
 *
 *   event -> fetch -> decode -> check -> preprocess -> infer -> explain -> encode -> store -> verify -> notify
 *
 * Each value holds the one it came from. A stage is a function, value in, value out; no stage knows the next.
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
   * N = (x - min)/(max - min) at the models' input size, 0..1, as stored: it is turned upright at each network's door,
   * and what comes out is turned back.
   */
  readonly normalised: Plane;
  /** How the film lies against the standard position of a frontal film. */
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

/** What was found of a picture before the classifier: all of it, or what it took to refuse it. */
export type Admission =
  | {
      readonly refusal: null;
      readonly view: ViewFinding;
      readonly outOfDistribution: OutOfDistribution | null;
      readonly lungs: LungFinding;
    }
  | {
      readonly refusal: Refusal;
      /** Null where no network was asked. */
      readonly view: ViewFinding | null;
      readonly outOfDistribution: OutOfDistribution | null;
      readonly lungs: LungFinding | null;
    };

/** What one classifier says of the film, and where it looked. */
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
  /** What a reader should know of how the result came about; absent where nothing was looked at. */
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
 * What came of one film; `content` says of which content, where it came from a file. `rejected` is for what is no chest
 * film at all or could not be read: it gets a log line and no object.
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
      /** Null also where it can't be told whether the picture is a lateral view or no chest film. */
      readonly view: 'frontal' | 'lateral' | null;
      readonly lungFraction: number | null;
      /** Of the pixels, where they could be decoded. */
      readonly remarks?: readonly PixelRemark[];
      /** `decoded` of the content, where the film was decoded. */
      readonly decodedDigest?: string | undefined;
      readonly content?: ContentDigest;
    }
  | { readonly outcome: 'rejected'; readonly sopInstanceUid: Uid | null; readonly refusal: Refusal };

export type { Plane };

/** Port: what the line asks of an archive; `archive/dicomweb` fits it by shape. Every method throws HilumError. */
export interface Archive {
  /** @param wanted where it is given, no more need be listed than shows all of these */
  findInstances(study: Uid, wanted?: readonly Uid[]): Promise<InstanceReference[]>;
  retrieve(
    reference: Pick<InstanceReference, 'studyInstanceUid' | 'seriesInstanceUid' | 'sopInstanceUid'>,
  ): Promise<Uint8Array>;
  /**
   * Throws STORE_AMBIGUOUS when it cannot be known what was stored, STORE_FAILED naming the instances that were
   * refused.
   */
  store(study: Uid, objects: readonly EncodedObject[]): Promise<void>;
}

/** Port: where results are announced; `queue/broker` fits it by shape. */
export interface Announcer {
  announce(result: ResultEvent): Promise<void>;
}

/** The stages whose time is taken. */
export const TIMED_STAGES = ['fetch', 'decode', 'infer', 'explain', 'encode', 'store', 'verify'] as const;
export type TimedStage = (typeof TIMED_STAGES)[number];

/** Port: who counts films and takes times; `web/metrics` fits it by shape. No stage knows of it. */
export interface FilmObserver {
  /** A stage ended, well or not, after this many seconds. */
  stage(stage: TimedStage, seconds: number): void;
  /** A film was worked on to its end. */
  film(result: Pick<FilmResult, 'outcome' | 'reason'>): void;
  /** What was measured of a film that could be decoded, refused or not. */
  measured?(measures: FilmMeasures): void;
}
