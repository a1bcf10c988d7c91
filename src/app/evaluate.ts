import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { outputFailed, requireWritable, writeOutput } from '../base/disk';
import { HilumError } from '../base/errors';
import { type Config, readConfig } from '../config/config';
import { applyThreshold } from '../evaluation/apply-threshold';
import type { ComparedWith } from '../evaluation/comparison';
import { filmsCsv } from '../evaluation/films-csv';
import { analysisDigest, type FilmRecord, openFilmJournal } from '../evaluation/journal';
import { type Labels, readLabels } from '../evaluation/labels';
import { heatMapPng, worstMistakes } from '../evaluation/mistakes';
import { page } from '../evaluation/page';
import type { MistakePicture } from '../evaluation/page-sections';
import { readProtocol } from '../evaluation/protocol';
import { type EvaluationInput, type EvaluationReport, makeReport } from '../evaluation/report';
import { analyseFiles, type Failure, type FilmRun, NOT_THERE, OUTSIDE, type RunResult } from '../evaluation/run';
import { unlabelledFiles } from '../evaluation/unlabelled';
import { languageOfTexts } from '../language/config';
import type { Language } from '../language/say';
import { wordsIn } from '../language/words';
import { headsOf } from '../model/manifest';
import type { AnalysisFinding } from '../objects/analysis';
import type { Pipeline } from '../pipeline/pipeline';
import { withTrail } from './audit';
import { type Compared, openCompared } from './compared';
import { readGiven } from './given-file';
import { openPipelineForFiles } from './pipeline';

export interface EvaluationOptions {
  /** Path of the labels file (CSV). */
  readonly labels: string;
  readonly films: string;
  readonly out: string;
  /** The label that means that the finding is present. */
  readonly positive?: string | undefined;
  /** Label of the finding to evaluate; by default the first classifier's. */
  readonly finding?: string | undefined;
  /** Wanted sensitivity for the proposed threshold, 0..1. */
  readonly sensitivity: number;
  /** File of the site's protocol (YAML). */
  readonly protocol?: string | undefined;
  /** A threshold, a folder of models or a configuration to compare with. */
  readonly compare?: string | undefined;
  /** Path of a CSV file with a row for each film. */
  readonly csv?: string | undefined;
  /** Folder of models to use instead of the shipped ones. */
  readonly models?: string | undefined;
  /** The site's configuration: its models, its operating point and its language. */
  readonly config?: string | undefined;
  /** Language of the page; by default the configuration's, else English. report.json is always English. */
  readonly language?: Language | undefined;
}

/** Called as the evaluation goes on. */
export interface EvaluationListener {
  /** One sentence about files that are left out or were done before. */
  readonly note: (text: string) => void;
  /** Called before the first film with the number of films to analyse. */
  readonly start: (left: number) => void;
  readonly film: () => void;
  /** Called after the last film, also after a failure. */
  readonly end: () => void;
}

export interface Evaluated {
  readonly report: EvaluationReport;
  /** Whether it is the first finding of the pipeline, whose threshold has a configuration key of its own. */
  readonly isFirst: boolean;
  /** Path of the page. */
  readonly html: string;
  /** Number of films that could not be analysed. */
  readonly failed: number;
}

const BOOTSTRAP = { rounds: 1000, seed: 1 };
/** Number of false positives, and of false negatives, that the page shows. */
const MISTAKES_SHOWN = 6;
/** Number of file names in a note. */
const NAMES_SHOWN = 10;

/**
 * Evaluates the pipeline on labelled films and writes report.json and report.html into `out`. Run again with the same
 * `out`, it continues where it stopped.
 * @throws HilumError LABELS_INVALID, PROTOCOL_INVALID, CONFIG_INVALID, OUTPUT_FAILED, or of the models
 */
export async function evaluateFilms(options: EvaluationOptions, listener: EvaluationListener): Promise<Evaluated> {
  const started = new Date();
  const csv = await readGiven('labels', options.labels);
  const labels = readLabels(csv, options.positive);
  for (const { line, text } of labels.problems) listener.note(`${options.labels}, line ${line}: ${text}`);
  const protocol = options.protocol === undefined ? null : readProtocol(await readGiven('protocol', options.protocol));
  await requireFolder(options.films);
  await requireWritable(options.out);
  const config = options.config === undefined ? null : readConfig(options.config);
  await recordExport(config, [options.out, ...(options.csv === undefined ? [] : [options.csv])]);
  const own = [options.out, options.labels, options.protocol, options.csv].filter((path) => path !== undefined);
  const unlabelled = await unlabelledFiles(options.films, labels.films, own);
  noteUnlabelled(unlabelled, listener);
  const given = { labels, labelsSha256: createHash('sha256').update(csv).digest('hex'), protocol, unlabelled };
  const pipeline = await openPipelineForFiles(config, options.models, listener.note);
  try {
    return await evaluateBy(pipeline, config, { ...given, now: started }, options, listener);
  } finally {
    await pipeline.reader.close();
  }
}

type Given = Pick<EvaluationInput, 'labels' | 'labelsSha256' | 'protocol' | 'unlabelled' | 'now'>;

async function evaluateBy(
  pipeline: Pipeline,
  config: Config | null,
  given: Given,
  options: EvaluationOptions,
  listener: EvaluationListener,
): Promise<Evaluated> {
  const { label: finding, ...point } = findingNamed(options.finding, pipeline);
  const compared =
    options.compare === undefined ? null : await openCompared(options.compare, { pipeline, finding }, listener.note);
  try {
    const { records, failures, patients } = await analyseAll(options, given.labels, { pipeline, compared, listener });
    const report = makeReport({
      ...given,
      records: records[0]!,
      patients,
      failures,
      identity: pipeline.identity(),
      finding,
      settings: settingsOf(options, config, { label: finding, ...point }, pipeline),
      comparedWith: compared && comparedWith(compared, records.at(-1)!),
    });
    noteFailures(failures, listener);
    const words = wordsIn(options.language ?? languageOfTexts(config?.language ?? 'auto'));
    const html = page(report, await drawMistakes(report, options.films, pipeline), words);
    const isFirst = finding === pipeline.identity().findings[0]!.label;
    const rows = filmsCsv(report, given.labels, records[0]!, compared && records.at(-1)!);
    return { report, isFirst, html: await writeReport(report, { html, rows }, options), failed: failures.length };
  } finally {
    await compared?.close();
  }
}

function comparedWith(
  { kind, name, pipeline, threshold }: Compared,
  records: ReadonlyMap<string, FilmRecord>,
): ComparedWith {
  return { kind, name, threshold, models: pipeline.identity().models, records };
}

/**
 * The report shows films of patients, so its export is recorded in the audit trail first, where a configuration names
 * one.
 */
async function recordExport(config: Config | null, written: readonly string[]): Promise<void> {
  if (config === null) return;
  await withTrail(config, async (trail) => {
    for (const path of written) await trail.record({ kind: 'export', destination: resolve(path), studies: [] });
  });
}

/** @throws HilumError LABELS_INVALID where no classifier reports the finding */
function findingNamed(label: string | undefined, pipeline: Pipeline): AnalysisFinding {
  const identity = pipeline.identity();
  if (label === undefined) return identity.findings[0]!;
  const named = identity.findings.find((finding) => finding.label === label);
  if (named !== undefined) return named;
  const known = identity.findings.map((finding) => finding.label).join(', ');
  throw new HilumError('LABELS_INVALID', 'permanent', `there is no finding ${label}; the classifiers tell ${known}`);
}

/**
 * Writes an operating point into a configuration file, after recording it in the audit trail. Resolves to the
 * configuration key.
 * @throws HilumError CONFIG_INVALID, AUDIT_FAILED
 */
export async function writeThreshold(
  config: string,
  { finding, isFirst }: { readonly finding: string; readonly isFirst: boolean },
  threshold: number,
): Promise<string> {
  const read = readConfig(config);
  const hasRule = read.findings.rules.some((rule) => rule.finding === finding && rule.threshold !== undefined);
  const key = isFirst && !hasRule ? 'classification.threshold' : 'findings.rules';
  const what = `${key} ${threshold} written into ${resolve(config)}`;
  await withTrail(read, (trail) => trail.record({ kind: 'restricted-function', what, studies: [] }));
  await applyThreshold(config, { threshold, finding: key === 'findings.rules' ? finding : null }, readConfig);
  return key;
}

function settingsOf(
  { sensitivity }: EvaluationOptions,
  config: Config | null,
  { label, operatingPoint }: AnalysisFinding,
  pipeline: Pipeline,
): EvaluationReport['settings'] {
  const head = pipeline.models.classifiers
    .flatMap(({ model }) => headsOf(model.manifest))
    .find((one) => one.label === label);
  return {
    threshold: operatingPoint,
    thresholdFrom: config === null || head?.operatingPoint.threshold === operatingPoint ? 'model' : 'configuration',
    wantedSensitivity: sensitivity,
    bootstrap: BOOTSTRAP,
  };
}

async function requireFolder(films: string): Promise<void> {
  if (!(await stat(films).catch(() => null))?.isDirectory())
    throw new HilumError('LABELS_INVALID', 'permanent', `--films ${films} is no folder`);
}

async function analyseAll(
  { films, out }: EvaluationOptions,
  labels: Labels,
  { pipeline, compared, listener }: { pipeline: Pipeline; compared: Compared | null; listener: EvaluationListener },
): Promise<RunResult> {
  const files = labels.films.map(({ file }) => file);
  const runs = await openRuns(out, [pipeline, ...(compared === null ? [] : [compared.pipeline])]);
  try {
    return await analyseFiles(films, files, {
      runs,
      wantsPatients: labels.films.some(({ patient }) => patient === null),
      onStart: (left) => {
        if (left < files.length)
          listener.note(`${files.length - left} of ${files.length} films need no work: done before, or not there`);
        listener.start(left);
      },
      onFilm: listener.film,
    });
  } finally {
    listener.end();
    for (const { journal } of runs) await journal.close();
  }
}

/** One run for each analysis; where only the threshold differs one run serves both. @throws HilumError OUTPUT_FAILED */
async function openRuns(out: string, pipelines: readonly Pipeline[]): Promise<FilmRun[]> {
  const byAnalysis = new Map<string, Pipeline>();
  for (const pipeline of pipelines) {
    const analysis = analysisDigest(pipeline.identity());
    if (!byAnalysis.has(analysis)) byAnalysis.set(analysis, pipeline);
  }
  const runs: FilmRun[] = [];
  for (const pipeline of byAnalysis.values())
    try {
      runs.push({ pipeline, journal: await openFilmJournal(out, pipeline.identity()) });
    } catch (error) {
      throw outputFailed(`the folder ${out}`, error);
    }
  return runs;
}

function noteUnlabelled(files: readonly string[], { note }: EvaluationListener): void {
  if (files.length > 0)
    note(`${counted(files.length, 'file')} without a label, not looked at, as no row names them: ${someOf(files)}`);
}

function noteFailures(failures: readonly Failure[], { note }: EvaluationListener): void {
  const without = failures.filter(({ why }) => why === NOT_THERE || why === OUTSIDE).map(({ file }) => file);
  if (without.length > 0) note(`${counted(without.length, 'label')} without a film in the folder: ${someOf(without)}`);
  const failed = failures.filter(({ file }) => !without.includes(file));
  for (const { file, why } of failed.slice(0, NAMES_SHOWN)) note(`${file}: ${why}`);
  if (failed.length > NAMES_SHOWN)
    note(`${failed.length - NAMES_SHOWN} more films could not be worked on; report.json names them`);
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;

const someOf = (files: readonly string[]) =>
  `${files.slice(0, NAMES_SHOWN).join(', ')}${files.length > NAMES_SHOWN ? ' ...' : ''}`;

async function drawMistakes(
  { films, finding, settings }: EvaluationReport,
  folder: string,
  pipeline: Pipeline,
): Promise<MistakePicture[]> {
  const { missed, falseAlarms } = worstMistakes(films, settings.threshold, MISTAKES_SHOWN);
  const wanted = [
    ...missed.map((film) => ({ kind: 'missed' as const, film })),
    ...falseAlarms.map((film) => ({ kind: 'false-alarm' as const, film })),
  ];
  const drawn: MistakePicture[] = [];
  for (const { kind, film } of wanted) {
    const { file, probability } = film;
    drawn.push({ kind, file, probability, png: await heatMapPng(folder, file, finding, pipeline) });
  }
  return drawn;
}

/**
 * Writes the report's files whole or not at all, as half a report could be taken for a report. Resolves to the path of
 * the page.
 * @throws HilumError OUTPUT_FAILED
 */
async function writeReport(
  report: EvaluationReport,
  { html, rows }: { readonly html: string; readonly rows: string },
  { out, csv }: Pick<EvaluationOptions, 'out' | 'csv'>,
): Promise<string> {
  const path = join(out, 'report.html');
  const files: [path: string, text: string][] = [
    [join(out, 'report.json'), `${JSON.stringify(report, null, 1)}\n`],
    [path, html],
    ...(csv === undefined ? [] : [[csv, rows] as [string, string]]),
  ];
  for (const [file, text] of files) await writeOutput(file, text);
  return path;
}
