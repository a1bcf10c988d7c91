import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { outputFailed, requireWritable } from '../base/disk';
import { Journal } from '../base/journal';
import { parseUid } from '../dicom/uid';
import { type AnalysisIdentity, resultUids } from '../pipeline/encode';
import type { Pipeline } from '../pipeline/pipeline';
import { type FileResult, rejectionIn, stateOf } from './file-results';
import { type FileStamp, type GivenFile, isPictureResult, sha256Of, workOnFile, writeOutputs } from './file-work';
import { openPipelineForFiles } from './pipeline';
import { type RejectedFilms, rejectionOf, rejectionsIn } from './rejection-files';

export type { FileResult, GivenFile };

/** Result of one file, computed now or in an earlier run (`isKept`); null for a file that Hilum wrote itself. */
type FileWork = { readonly result: FileResult; readonly isKept: boolean } | null;

export interface FileAnalysis {
  /** Labels of the findings, in the order of {@link FileResult.findings}. */
  readonly labels: readonly string[];
  /**
   * Analyses one file. A file that can't be read gives a result that says so, and does not end the run.
   * @throws HilumError OUTPUT_FAILED, and nothing else
   */
  analyze(given: GivenFile): Promise<FileWork>;
  close(): Promise<void>;
}

export interface FileAnalysisOptions {
  readonly out: string;
  readonly files: readonly GivenFile[];
  /** Folder of models to use instead of the shipped ones. */
  readonly models?: string | undefined;
  /** Configuration file whose models, operating points and output objects are used; undefined: the shipped defaults. */
  readonly config?: string | undefined;
  /** Also analyses files that an earlier run has analysed. */
  readonly again?: boolean | undefined;
}

/** One line of the journal: the result of one file. */
interface FileRecord {
  /** Absolute path, so that a later run finds it from any working directory. */
  readonly file: string;
  /** Size, date and digest of the file when it was analysed. */
  readonly stamp: FileStamp;
  readonly told: Omit<FileResult, 'file' | 'outputs' | 'models'>;
  /** Paths of the files written, relative to the folder of results. */
  readonly outputs: readonly string[];
}

/** What is needed to analyse files. */
interface AnalysisContext {
  readonly out: string;
  readonly pipeline: Pipeline;
  readonly rejections: RejectedFilms;
  readonly journal: Journal<FileRecord>;
  /** Journal records of files that have not changed since, by absolute path. */
  readonly kept: ReadonlyMap<string, FileRecord>;
  /** Absolute paths of the results that the journal names. */
  readonly written: ReadonlySet<string>;
}

/**
 * Runs the pipeline on files, without any server. The results of each film go to `out`/<SOP Instance UID>/. Run again
 * with the same `out`, it continues where it stopped.
 * @param note is called with the models of that folder that do not run
 * @throws HilumError OUTPUT_FAILED, or an error of the configuration or the models
 */
export async function openFileAnalysis(
  { out, files, models, config, again = false }: FileAnalysisOptions,
  note: (text: string) => void,
): Promise<FileAnalysis> {
  await requireWritable(out);
  // Imported only where it is needed: it imports every room that has settings.
  const read = config === undefined ? null : (await import('../config/config.js')).readConfig(config);
  return analysisBy(await openPipelineForFiles(read, models, note), { out, files, again });
}

/** As {@link openFileAnalysis}, with a pipeline that is loaded already. */
export async function analysisBy(
  pipeline: Pipeline,
  { out, files, again = false }: Pick<FileAnalysisOptions, 'out' | 'files' | 'again'>,
): Promise<FileAnalysis> {
  const journal = await openJournal(out, pipeline.identity());
  const paths = files.map(({ file }) => file);
  const rejections = await rejectionsIn(paths, pipeline);
  const known = again ? [] : await unchanged(paths, { out, journal, rejections });
  const outputs = [...journal.known.values()].flatMap((record) => record.outputs);
  const context: AnalysisContext = {
    out,
    pipeline,
    rejections,
    journal,
    kept: new Map(known.map((record) => [record.file, record])),
    written: new Set(outputs.map((name) => resolve(out, name))),
  };
  return {
    labels: pipeline.identity().findings.map(({ label }) => label),
    analyze: (given) => analyzeFile(given, context),
    close: () => Promise.all([pipeline.reader.close(), journal.close()]).then(() => undefined),
  };
}

/** Whether a file is a journal of `hilum analyze`, by its name. */
export const isJournal = (file: string): boolean => /^analysis-[0-9a-f]{12}\.jsonl$/.test(basename(file));

/** Raise it when the fields of a record change. */
const JOURNAL_VERSION = 1;

async function openJournal(out: string, identity: AnalysisIdentity): Promise<Journal<FileRecord>> {
  // Everything that shapes a result enters its UIDs, so the report UID of a made-up film identifies the analysis
  // itself.
  const { report } = resultUids(parseUid('2.25.0'), parseUid('2.25.0'), identity);
  const parts = [JOURNAL_VERSION, identity.softwareVersion, report.instance];
  const analysis = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  const path = join(out, `analysis-${analysis.slice(0, 12)}.jsonl`);
  const { softwareVersion, models } = identity;
  const heading = { type: 'hilum-analysis', version: JOURNAL_VERSION, analysis, softwareVersion, models };
  return writing(path, () => Journal.open<FileRecord>(path, heading));
}

/** Does the work and turns any error into OUTPUT_FAILED. @throws HilumError OUTPUT_FAILED */
async function writing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw outputFailed(path, error);
  }
}

/** Journal records of files that have not changed and whose results still exist. */
async function unchanged(
  files: readonly string[],
  { out, journal, rejections }: Pick<AnalysisContext, 'out' | 'journal' | 'rejections'>,
): Promise<FileRecord[]> {
  const kept: FileRecord[] = [];
  for (const file of files) {
    const record = journal.known.get(resolve(file));
    if (record === undefined) continue;
    // Whether a rejection note has come or gone since.
    const isRejected = rejectionOf(record.stamp.study, record.told.sopInstanceUid, rejections);
    if (isRejected !== rejectionIn(record.told)) continue;
    if ((await isAsItWas(file, record.stamp)) && (await areThere(out, record.outputs))) kept.push(record);
  }
  return kept;
}

async function isAsItWas(file: string, { bytes, modified, sha256 }: FileStamp): Promise<boolean> {
  const found = await stat(file).catch(() => null);
  if (found?.size !== bytes) return false;
  if (Math.round(found.mtimeMs) === modified) return true;
  const content = await readFile(file).catch(() => null);
  return content !== null && sha256Of(content) === sha256;
}

async function areThere(out: string, outputs: readonly string[]): Promise<boolean> {
  const found = await Promise.all(outputs.map((name) => stat(join(out, name)).catch(() => null)));
  return found.every((one) => one?.isFile() === true);
}

async function analyzeFile({ file, isNamed }: GivenFile, context: AnalysisContext): Promise<FileWork> {
  const path = resolve(file);
  if (!isNamed && (context.written.has(path) || isPictureResult(path))) return null;
  const known = context.kept.get(path);
  if (known !== undefined) return { result: toldOf(known, file, context), isKept: true };
  const started = performance.now();
  const worked = await workOnFile({ file, isNamed }, context.pipeline, context.rejections);
  if (worked === null) return null;
  const outputs = await writeOutputs(worked.outputs, context.out);
  const seconds = Math.round((performance.now() - started) / 10) / 100;
  const record: FileRecord = { file: path, stamp: worked.stamp, told: { ...worked.told, seconds }, outputs };
  // Files that failed are tried again.
  if (!['failed', 'unreadable'].includes(stateOf(record.told)))
    await writing(context.journal.path, () => context.journal.add(record));
  return { result: toldOf(record, file, context), isKept: false };
}

function toldOf(
  { told, outputs }: FileRecord,
  file: string,
  { out, pipeline }: Pick<AnalysisContext, 'out' | 'pipeline'>,
): FileResult {
  const models = pipeline.identity().models.map(({ id, version }) => ({ id, version }));
  return { file, ...told, outputs: outputs.map((name) => join(out, name)), models };
}
