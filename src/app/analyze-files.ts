import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { outputFailed, requireWritable } from '../base/disk';
import { Journal } from '../base/journal';
import { parseUid } from '../dicom/uid';
import { type AnalysisIdentity, resultUids } from '../pipeline/encode';
import type { Line } from '../pipeline/pipeline';
import { type FileResult, rejectionIn, stateOf } from './file-results';
import { type FileStamp, type GivenFile, isPictureResult, sha256Of, workOnFile, writeOutputs } from './file-work';
import { openLineForFiles } from './line';
import { type RejectedFilms, rejectionOf, rejectionsIn } from './rejection-files';

export type { FileResult, GivenFile };

/** A file that was worked on now, or in an earlier run; null: a result of Hilum, which is left alone. */
type FileWork = { readonly result: FileResult; readonly isKept: boolean } | null;

export interface FileAnalysis {
  /** Labels of the findings, in the order of {@link FileResult.findings}. */
  readonly labels: readonly string[];
  /** One bad file must not keep the others from being done. @throws HilumError OUTPUT_FAILED, and nothing else */
  analyze(given: GivenFile): Promise<FileWork>;
  close(): Promise<void>;
}

export interface FileAnalysisOptions {
  readonly out: string;
  readonly files: readonly GivenFile[];
  /** Another folder of models. */
  readonly models?: string | undefined;
  /** Whose models, operating point and objects are used; undefined for those that come with Hilum. */
  readonly config?: string | undefined;
  /** Also what was done before. */
  readonly again?: boolean | undefined;
}

/** What came of one file, as the journal keeps it. */
interface FileRecord {
  /** Resolved, so that it is the same from whatever folder it is named. */
  readonly file: string;
  /** The file as it was. */
  readonly stamp: FileStamp;
  readonly told: Omit<FileResult, 'file' | 'outputs' | 'models'>;
  /** Below the folder of results. */
  readonly outputs: readonly string[];
}

/** What files are analysed with. */
interface Bench {
  readonly out: string;
  readonly line: Line;
  readonly rejections: RejectedFilms;
  readonly journal: Journal<FileRecord>;
  /** What the journal has of files that are as they were, by resolved path. */
  readonly kept: ReadonlyMap<string, FileRecord>;
  /** Results that the journal names, resolved. */
  readonly written: ReadonlySet<string>;
}

/**
 * The pipeline on files, without any server: the results of each film go to `out`/<SOP Instance UID>/. Stopped and
 * started again with the same `out`, it goes on where it was.
 * @param note told which models of that folder do not run
 * @throws HilumError OUTPUT_FAILED, or of configuration and models
 */
export async function openFileAnalysis(
  { out, files, models, config, again = false }: FileAnalysisOptions,
  note: (text: string) => void,
): Promise<FileAnalysis> {
  await requireWritable(out);
  // Loaded only where it is asked for: with it come all rooms that have settings.
  const read = config === undefined ? null : (await import('../config/config.js')).readConfig(config);
  return analysisBy(await openLineForFiles(read, models, note), { out, files, again });
}

/** As {@link openFileAnalysis}, by a line that is there. */
export async function analysisBy(
  line: Line,
  { out, files, again = false }: Pick<FileAnalysisOptions, 'out' | 'files' | 'again'>,
): Promise<FileAnalysis> {
  const journal = await openJournal(out, line.identity());
  const paths = files.map(({ file }) => file);
  const rejections = await rejectionsIn(paths, line);
  const known = again ? [] : await unchanged(paths, { out, journal, rejections });
  const outputs = [...journal.known.values()].flatMap((record) => record.outputs);
  const bench: Bench = {
    out,
    line,
    rejections,
    journal,
    kept: new Map(known.map((record) => [record.file, record])),
    written: new Set(outputs.map((name) => resolve(out, name))),
  };
  return {
    labels: line.identity().findings.map(({ label }) => label),
    analyze: (given) => analyzeFile(given, bench),
    close: () => Promise.all([line.reader.close(), journal.close()]).then(() => undefined),
  };
}

/** A file that `hilum analyze` keeps for itself, by its name. */
export const isJournal = (file: string): boolean => /^analysis-[0-9a-f]{12}\.jsonl$/.test(basename(file));

/** Raise it when a record's content changes. */
const JOURNAL_VERSION = 1;

async function openJournal(out: string, identity: AnalysisIdentity): Promise<Journal<FileRecord>> {
  // All that shapes results enters their UIDs: those of no film stand for the analysis itself.
  const { report } = resultUids(parseUid('2.25.0'), parseUid('2.25.0'), identity);
  const parts = [JOURNAL_VERSION, identity.softwareVersion, report.instance];
  const analysis = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  const path = join(out, `analysis-${analysis.slice(0, 12)}.jsonl`);
  const { softwareVersion, models } = identity;
  const heading = { type: 'hilum-analysis', version: JOURNAL_VERSION, analysis, softwareVersion, models };
  return writing(path, () => Journal.open<FileRecord>(path, heading));
}

/** @throws HilumError OUTPUT_FAILED whatever goes wrong */
async function writing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw outputFailed(path, error);
  }
}

/** What the journal knows of files that have not changed since, and whose results are still there. */
async function unchanged(
  files: readonly string[],
  { out, journal, rejections }: Pick<Bench, 'out' | 'journal' | 'rejections'>,
): Promise<FileRecord[]> {
  const kept: FileRecord[] = [];
  for (const file of files) {
    const record = journal.known.get(resolve(file));
    if (record === undefined) continue;
    // A note that came since, or is gone.
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

async function analyzeFile({ file, isNamed }: GivenFile, bench: Bench): Promise<FileWork> {
  const path = resolve(file);
  if (!isNamed && (bench.written.has(path) || isPictureResult(path))) return null;
  const known = bench.kept.get(path);
  if (known !== undefined) return { result: toldOf(known, file, bench), isKept: true };
  const started = performance.now();
  const worked = await workOnFile({ file, isNamed }, bench.line, bench.rejections);
  if (worked === null) return null;
  const outputs = await writeOutputs(worked.outputs, bench.out);
  const seconds = Math.round((performance.now() - started) / 10) / 100;
  const record: FileRecord = { file: path, stamp: worked.stamp, told: { ...worked.told, seconds }, outputs };
  // What could not be worked on is tried again.
  if (!['failed', 'unreadable'].includes(stateOf(record.told)))
    await writing(bench.journal.path, () => bench.journal.add(record));
  return { result: toldOf(record, file, bench), isKept: false };
}

function toldOf({ told, outputs }: FileRecord, file: string, { out, line }: Pick<Bench, 'out' | 'line'>): FileResult {
  const models = line.identity().models.map(({ id, version }) => ({ id, version }));
  return { file, ...told, outputs: outputs.map((name) => join(out, name)), models };
}
