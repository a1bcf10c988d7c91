import type { Uid } from '../dicom/uid';
import { type FoundInstance, type FoundSeries, readInstanceRows, readTexts, ROW_TAGS } from './dicom-json';
import type { DicomWebArchive, SampleOptions } from './dicomweb';
import { type FilmHeader, hasReadableTexts, HEADER_ROW_TAGS, readHeader } from './film-header';
import { keepTags } from './json-parse';
import { uidAt } from './json-values';

/** Instances are reused for this long (milliseconds): an idle worker takes a study within it. */
const INSTANCES_MS = 500;
/** Headers are reused for this long (milliseconds), for the list's row of a study without a result. */
const HEADER_MS = 10_000;
/** Largest number of studies kept; more than are sorted at the same time. */
const MAX = 100;
/** Largest metadata of a film that is kept (characters of JSON). */
const MAX_CHARACTERS = 16_384;
const KEPT_TAGS = [...new Set([...ROW_TAGS, ...HEADER_ROW_TAGS])];
const SOP_INSTANCE_UID = '00080018';

interface CachedStudy {
  /** Time before the archive was asked (milliseconds since 1970). */
  readonly at: number;
  series: readonly FoundSeries[];
  /** Metadata of one film of each series that was sampled. */
  readonly samples: unknown[];
  /** The instances were taken once, or have changed since. */
  isTaken: boolean;
}

/**
 * Short-lived cache of what triage reads of a study, for those who would ask the same again right away: the worker that
 * takes the study, and the reading list for its row. Bounded in size and time, as others may change the study.
 */
export class StudyCache {
  private readonly studies = new Map<Uid, CachedStudy>();

  constructor(
    private readonly archive: DicomWebArchive,
    private readonly now: () => number = Date.now,
  ) {}

  /** As {@link DicomWebArchive.findSeries}. */
  async findSeries(study: Uid, timeoutMs?: number): Promise<readonly FoundSeries[]> {
    // Cached before the archive is asked, so that a change meanwhile is noticed.
    const cached: CachedStudy = { at: this.now(), series: [], samples: [], isTaken: false };
    this.keep(study, cached);
    cached.series = await this.archive.findSeries(study, timeoutMs);
    return cached.series;
  }

  /** As {@link DicomWebArchive.sampleAttributes}. */
  async sampleAttributes<K extends string>(
    study: Uid,
    series: Uid,
    attributes: Readonly<Record<K, string>>,
    options: SampleOptions,
  ): Promise<{ [key in K]?: string[] }> {
    const cached = this.studies.get(study);
    const sample = await this.archive.sampleMetadata(study, series, Object.values(attributes), options);
    cached?.samples.push(...briefly(sample));
    return readTexts(sample, attributes);
  }

  /**
   * All instances of a study that triage has just read, once; null where the cache may not hold all of them: the study
   * has series that are no films, or a series of several instances.
   */
  takeInstances(study: Uid): FoundInstance[] | null {
    const cached = this.fresh(study, INSTANCES_MS);
    if (cached === null || cached.isTaken) return null;
    cached.isTaken = true;
    const sampled = readInstanceRows(cached.samples, study).instances.filter((one) => one.studyInstanceUid === study);
    const found = cached.series.flatMap(({ seriesInstanceUid, modality, instances }) => {
      const film = sampled.find((one) => one.seriesInstanceUid === seriesInstanceUid);
      return film === undefined || instances !== 1 ? [] : [{ ...film, modality }];
    });
    return found.length > 0 && found.length === cached.series.length ? found : null;
  }

  /** Called when the study was worked on: its instances have changed, or are about to. */
  forgetInstances(study: Uid): void {
    const cached = this.studies.get(study);
    if (cached !== undefined) cached.isTaken = true;
  }

  /** The archive client, which asks the server only for what the cache does not hold. */
  archiveWithCache(): DicomWebArchive {
    const { archive } = this;
    return {
      ...archive,
      findStudySummary: async (study, timeoutMs) => this.summary(study) ?? archive.findStudySummary(study, timeoutMs),
      describe: async (path) => this.header(path) ?? archive.describe(path),
    };
  }

  /** Header of a film of the study and the modalities of its series; null where no film was sampled. */
  private summary(study: Uid): Awaited<ReturnType<DicomWebArchive['findStudySummary']>> {
    const cached = this.fresh(study, HEADER_MS);
    const [film] = (cached?.samples ?? []).filter(hasReadableTexts);
    if (cached === null || film === undefined) return null;
    return { ...readHeader(film), modalities: cached.series.map(({ modality }) => modality) };
  }

  private header({ studyInstanceUid, sopInstanceUid }: Parameters<DicomWebArchive['describe']>[0]): FilmHeader | null {
    const samples = this.fresh(studyInstanceUid, HEADER_MS)?.samples ?? [];
    const film = samples.find((sample) => uidAt(sample, SOP_INSTANCE_UID) === sopInstanceUid);
    return film !== undefined && hasReadableTexts(film) ? readHeader(film) : null;
  }

  private fresh(study: Uid, ms: number): CachedStudy | null {
    const cached = this.studies.get(study);
    return cached !== undefined && this.now() - cached.at < ms ? cached : null;
  }

  private keep(study: Uid, cached: CachedStudy): void {
    this.studies.delete(study);
    this.studies.set(study, cached);
    for (const [oldest, { at }] of this.studies) {
      if (this.studies.size <= MAX && cached.at - at < HEADER_MS) return;
      this.studies.delete(oldest);
    }
  }
}

/** Reduced to the tags that are read. */
function briefly(sample: unknown): unknown[] {
  const kept = sample === undefined ? [] : keepTags([sample], KEPT_TAGS);
  return JSON.stringify(kept).length > MAX_CHARACTERS ? [] : kept;
}
