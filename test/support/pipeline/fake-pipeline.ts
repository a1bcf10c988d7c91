import { HilumError } from '../../../src/base/errors';
import { text } from '../../../src/dicom/attributes';
import type { InstanceReference } from '../../../src/dicom/instance';
import type { EncodedObject } from '../../../src/dicom/part10';
import { readPart10 } from '../../../src/dicom/read';
import { parseUid, type Uid } from '../../../src/dicom/uid';
import type { ResultEvent } from '../../../src/events/result-event';
import type { Plane } from '../../../src/imaging/plane';
import type { ModelManifest } from '../../../src/model/manifest';
import type { Model, Prediction } from '../../../src/model/session';
import { unboundedReader } from '../../../src/pipeline/film-reader';
import { plausibilityOf } from '../../../src/pipeline/lungs';
import { inThisThread } from '../../../src/pipeline/film-work';
import type { Pipeline } from '../../../src/pipeline/pipeline';
import { shadowStudy } from '../../../src/pipeline/shadow';
import { type Ports, runStudy, type StudyRun } from '../../../src/pipeline/study';
import type { Archive } from '../../../src/pipeline/stage';
import { COVID } from '../records/finding';

const SIZE = 56;

function manifest(id: string, task: ModelManifest['task'], more: Record<string, unknown> = {}): ModelManifest {
  return {
    schemaVersion: 1,
    id,
    version: '1.0.0',
    task,
    title: id,
    file: 'model.onnx',
    sha256: 'a'.repeat(64),
    engine: 'onnx',
    architecture: 'test',
    input: {
      name: 'input',
      shape: [1, 1, SIZE, SIZE],
      region: task === 'classification' ? 'lungs' : 'film',
      fill: 0,
      intensity: 'min-max',
      resample: 'antialiased-triangle',
      mean: 0.5,
      std: 0.25,
    },
    output: { probability: 'probability', cam: null },
    classes: [
      { label: 'no' },
      {
        label: 'COVID-19',
        code: { value: '840544004', scheme: 'SCT', meaning: 'Suspected disease caused by SARS-CoV-2' },
      },
    ],
    positive: 1,
    operatingPoint: { threshold: 0.5, meaning: 'test' },
    licence: 'test',
    intendedUse: 'test',
    limitations: [],
    ...more,
  };
}

/** Two rectangles where lungs are. */
export function twoLungs(rows = SIZE, columns = SIZE): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, i) => {
    const [r, c] = [Math.floor(i / columns) / rows, (i % columns) / columns];
    return r > 0.2 && r < 0.8 && ((c > 0.12 && c < 0.42) || (c > 0.58 && c < 0.88)) ? 0.98 : 0.01;
  });
}

export interface FakeAnswers {
  lateral: number;
  outOfDistribution: number;
  lungs: Float32Array;
  probability: number;
  cam: Float32Array;
}

/** A model of one task that answers with one probability. */
export function fakeModel(
  task: ModelManifest['task'],
  probability: number,
  more: Record<string, unknown> = {},
  seen: Plane[] = [],
): Model {
  return {
    manifest: manifest(`other-${task}`, task, more),
    predict: async (...planes) => {
      seen.push(...planes);
      return { probability: new Float32Array([probability]), cams: null };
    },
  };
}

/**
 * A pipeline whose networks answer what the test says; everything else is real. `seen` holds what the classifier was
 * shown.
 */
export function fakePipeline(answers: Partial<FakeAnswers> = {}): { pipeline: Pipeline; seen: Plane[] } {
  const seen: Plane[] = [];
  const cam = answers.cam ?? Float32Array.from({ length: 14 * 14 }, (_, i) => (i === 14 * 6 + 3 ? 4 : -1));
  const model = (described: ModelManifest, predict: (plane: Plane) => Prediction): Model => ({
    manifest: described,
    predict: async (plane) => predict(plane),
  });
  const lungs = manifest('lungs', 'lungs', {
    mask: { threshold: 0.5, connectivity: 4, minComponentFraction: 0.01 },
    plausibility: {
      lungFraction: { min: 0.15, max: 0.55 },
      components: { min: 1, max: 4 },
      smallerSideShare: { min: 0.2 },
      meanProbability: { min: 0.8 },
    },
  });
  const rule = { ...COVID, operatingPoint: 0.5 };
  const classifier = {
    model: model(manifest('covid', 'classification'), (plane) => {
      seen.push(plane);
      return {
        probability: new Float32Array([answers.probability ?? 0.9]),
        cams: [[{ rows: 14, columns: 14, values: cam }]],
      };
    }),
    rules: [rule],
  };
  const models = {
    view: model(manifest('view', 'view'), () => ({
      probability: new Float32Array([answers.lateral ?? 0.01]),
      cams: null,
    })),
    outOfDistribution: model(manifest('gate', 'gate'), () => ({
      probability: new Float32Array([answers.outOfDistribution ?? 0.02]),
      cams: null,
    })),
    lungs: model(lungs, () => ({ probability: answers.lungs ?? twoLungs(), cams: null })),
    classifiers: [classifier],
  };
  const described = [models.view, models.outOfDistribution, models.lungs, classifier.model].map(({ manifest: m }) => ({
    id: m.id,
    version: m.version,
    title: m.title,
    sha256: m.sha256,
    task: m.task,
    input: 'test',
  }));
  const identity = () => ({
    softwareVersion: '0.0.1',
    device: { name: 'Hilum', manufacturer: 'Hilum', model: 'Hilum' },
    startedAt: new Date('2026-01-02T03:04:05Z'),
    models: described,
    findings: [{ ...rule, model: 'covid' }],
    srClass: 'comprehensive-3d' as const,
    objects: { heatMap: true, segmentation: false, parametricMap: false, presentationState: false },
  });
  return { pipeline: { reader: unboundedReader, models, plausibility: plausibilityOf(lungs), identity }, seen };
}

/** Of a classifier with two findings, one of them in shadow, that sees film and box. */
export const HEADS = {
  schemaVersion: 2,
  classes: undefined,
  positive: undefined,
  operatingPoint: undefined,
  input: {
    name: 'input',
    shape: [1, 2, SIZE, SIZE],
    region: ['film', 'box'],
    fill: 0,
    intensity: 'min-max',
    resample: 'antialiased-triangle',
    mean: 0.5,
    std: 0.25,
  },
  heads: [
    {
      label: 'lung opacity',
      code: { value: '1', scheme: '99TEST', meaning: 'Opacity' },
      operatingPoint: { threshold: 0.3, meaning: 'test' },
      mode: 'live',
      reason: null,
      limitations: [],
    },
    {
      label: 'tuberculosis',
      code: { value: '2', scheme: '99TEST', meaning: 'Tuberculosis' },
      operatingPoint: { threshold: 0.5, meaning: 'test' },
      mode: 'shadow',
      reason: 'too few sources',
      limitations: [],
    },
  ],
};

/** Of a network that sees the film without its lungs. fill 0.25: a value that the film does not have everywhere. */
export const REMOVED = {
  input: {
    name: 'input',
    shape: [1, 1, 56, 56],
    region: 'removed',
    fill: 0.25,
    intensity: 'min-max',
    resample: 'antialiased-triangle',
    mean: 0.5,
    std: 0.25,
  },
};

/** A pipeline with the shortcut check, by the probability of the finding on the lungs and outside. */
export function checkedPipeline(lungs: number, outside: number, seen: Plane[] = []): Pipeline {
  const { pipeline } = fakePipeline({ probability: lungs });
  return { ...pipeline, shortcutCheck: { model: fakeModel('classification', outside, REMOVED, seen) } };
}

/** An archive in memory that keeps the first object of a UID, as Orthanc does, and can be told to fail. */
export class MemoryArchive implements Archive {
  readonly objects = new Map<string, { reference: InstanceReference; bytes: Uint8Array }>();
  readonly calls = { find: 0, retrieve: 0, store: 0 };
  /** Called before each request; throw to fail it. */
  before: (call: 'find' | 'retrieve' | 'store', uid: string) => void = () => {};
  /** Called after an object was stored: a thrown error is an answer that got lost. */
  afterStore: (uid: string) => void = () => {};

  put(bytes: Uint8Array): InstanceReference {
    const { attributes, sopClassUid, sopInstanceUid } = readPart10(bytes);
    const reference = {
      studyInstanceUid: parseUid(attributes.StudyInstanceUID),
      seriesInstanceUid: parseUid(attributes.SeriesInstanceUID),
      sopInstanceUid: parseUid(sopInstanceUid),
      sopClassUid: parseUid(sopClassUid),
      modality: text(attributes, 'Modality') ?? '',
    };
    if (!this.objects.has(reference.sopInstanceUid)) this.objects.set(reference.sopInstanceUid, { reference, bytes });
    return reference;
  }

  async findInstances(study: Uid): Promise<InstanceReference[]> {
    this.calls.find++;
    this.before('find', study);
    return [...this.objects.values()]
      .map(({ reference }) => reference)
      .filter(({ studyInstanceUid }) => studyInstanceUid === study);
  }

  async retrieve({ sopInstanceUid }: { sopInstanceUid: Uid }): Promise<Uint8Array> {
    this.calls.retrieve++;
    this.before('retrieve', sopInstanceUid);
    const found = this.objects.get(sopInstanceUid);
    if (!found) throw new HilumError('NOT_FOUND', 'permanent', 'no such instance');
    return found.bytes;
  }

  async store(_study: Uid, objects: readonly EncodedObject[]): Promise<void> {
    for (const { bytes, sopInstanceUid } of objects) {
      this.calls.store++;
      this.before('store', sopInstanceUid);
      this.put(bytes);
      this.afterStore(sopInstanceUid);
    }
  }
}

export class MemoryAnnouncer {
  readonly events: ResultEvent[] = [];
  fail = false;

  async announce(result: ResultEvent): Promise<void> {
    if (this.fail) throw new HilumError('BROKER_UNREACHABLE', 'transient', 'no broker');
    this.events.push(result);
  }
}

/** {@link runStudy}, with the networks in this thread. */
export function runStudyHere(study: Uid, options: StudyRun, pipeline: Pipeline, ports: Ports) {
  return runStudy(study, options, inThisThread(pipeline), ports);
}

/** {@link shadowStudy}, with the networks in this thread. */
export function shadowStudyHere(
  study: Uid,
  options: Parameters<typeof shadowStudy>[1],
  pipeline: Pipeline,
  ...ports: [archive: Parameters<typeof shadowStudy>[3], store: Parameters<typeof shadowStudy>[4]]
) {
  return shadowStudy(study, options, inThisThread(pipeline), ...ports);
}

/** {@link runStudyHere} of a study that the archive has. @throws Error where it has nothing of it */
export async function runKnownStudy(...args: Parameters<typeof runStudyHere>): Promise<ResultEvent | null> {
  const result = await runStudyHere(...args);
  if (result === 'gone') throw new Error('the archive has nothing of the study');
  return result;
}
