import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PRIVATE_MODE, writeAtomically } from '../base/atomic-file';
import { HilumError } from '../base/errors';
import { type Config, readConfig } from '../config/config';
import { applyThreshold } from '../evaluation/apply-threshold';
import { openFilmJournal } from '../evaluation/journal';
import { type Labels, readLabels } from '../evaluation/labels';
import { heatMapPng, worstMistakes } from '../evaluation/mistakes';
import { page } from '../evaluation/page';
import type { MistakePicture } from '../evaluation/page-sections';
import { type EvaluationReport, makeReport } from '../evaluation/report';
import { analyseFiles, type Failure } from '../evaluation/run';
import { unlabelledFiles } from '../evaluation/unlabelled';
import { languageOfTexts } from '../language/config';
import type { Language } from '../language/say';
import { wordsIn } from '../language/words';
import { headsOf } from '../model/manifest';
import type { AnalysisFinding } from '../objects/analysis';
import type { Line } from '../pipeline/pipeline';
import { withTrail } from './audit';
import { openLineForFiles } from './line';

export interface EvaluationOptions {
  /** The file of labels (CSV). */
  readonly labels: string;
  readonly films: string;
  readonly out: string;
  /** Which label is the finding. */
  readonly positive?: string | undefined;
  /** Label of what is evaluated; by default the first that the classifiers tell. */
  readonly finding?: string | undefined;
  /** Wanted sensitivity, 0..1. */
  readonly sensitivity: number;
  /** Another folder of models. */
  readonly models?: string | undefined;
  /** The site's configuration: its models, its operating point and its language. */
  readonly config?: string | undefined;
  /** Of the page; the configuration's, else English, where it is left out. report.json is English. */
  readonly language?: Language | undefined;
}

/** Is told how it goes on. */
export interface EvaluationListener {
  /** One sentence about what is left out, or was done before. */
  readonly note: (text: string) => void;
  /** Before the first film, with how many are left to do. */
  readonly start: (left: number) => void;
  readonly film: () => void;
  /** After the last film, however it ended. */
  readonly end: () => void;
}

export interface Evaluated {
  readonly report: EvaluationReport;
  /** Whether it is the first finding of the line, which has a setting of its own. */
  readonly isFirst: boolean;
  /** Path of the page. */
  readonly html: string;
  /** Films that could not be worked on. */
  readonly failed: number;
}

const BOOTSTRAP = { rounds: 1000, seed: 1 };
/** Of each kind. */
const MISTAKES_SHOWN = 6;
/** File names in a note. */
const NAMES_SHOWN = 10;

/**
 * How well the shipped pipeline does on films whose truth is known: report.json and report.html in `out`. Stopped and
 * started again, it goes on where it was.
 * @throws HilumError LABELS_INVALID, CONFIG_INVALID, or of the models
 */
export async function evaluateFilms(options: EvaluationOptions, listener: EvaluationListener): Promise<Evaluated> {
  const started = new Date();
  const csv = await readFile(options.labels);
  const labels = readLabels(csv, options.positive);
  for (const { line, text } of labels.problems) listener.note(`${options.labels}, line ${line}: ${text}`);
  await requireFolder(options.films);
  const config = options.config === undefined ? null : readConfig(options.config);
  await recordExport(config, options.out);
  const unlabelled = await unlabelledFiles(options.films, labels.films, [options.out, options.labels]);
  noteUnlabelled(unlabelled, listener);
  const line = await openLineForFiles(config, options.models, listener.note);
  try {
    const evaluated = findingNamed(options.finding, line);
    const { records: found, failures, patients } = await analyseAll(options, labels, { line, listener });
    const records = found[0]!;
    const report = makeReport({
      labels,
      labelsSha256: createHash('sha256').update(csv).digest('hex'),
      records,
      patients,
      failures,
      identity: line.identity(),
      finding: evaluated.label,
      unlabelled,
      now: started,
      settings: settingsOf(options, config, evaluated, line),
    });
    noteFailures(failures, listener);
    const words = wordsIn(options.language ?? languageOfTexts(config?.language ?? 'auto'));
    const html = await writeReport(
      report,
      page(report, await drawMistakes(report, options.films, line), words),
      options,
    );
    return { report, isFirst: evaluated.label === line.identity().findings[0]!.label, html, failed: failures.length };
  } finally {
    await line.reader.close();
  }
}

/** The report shows films of patients: it is in the audit trail before it is made, where a configuration names one. */
async function recordExport(config: Config | null, out: string): Promise<void> {
  if (config === null) return;
  await withTrail(config, (trail) => trail.record({ kind: 'export', destination: resolve(out), studies: [] }));
}

/** @throws HilumError LABELS_INVALID where no classifier tells it */
function findingNamed(label: string | undefined, line: Line): AnalysisFinding {
  const identity = line.identity();
  if (label === undefined) return identity.findings[0]!;
  const named = identity.findings.find((finding) => finding.label === label);
  if (named !== undefined) return named;
  const known = identity.findings.map((finding) => finding.label).join(', ');
  throw new HilumError('LABELS_INVALID', 'permanent', `there is no finding ${label}; the classifiers tell ${known}`);
}

/**
 * Writes an operating point into a configuration file; that is in the audit trail before. Resolves to the key that has
 * it. @throws HilumError CONFIG_INVALID, AUDIT_FAILED
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
  line: Line,
): EvaluationReport['settings'] {
  const head = line.models.classifiers
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
  { line, listener }: { line: Line; listener: EvaluationListener },
) {
  const files = labels.films.map(({ file }) => file);
  const journal = await openFilmJournal(out, line.identity());
  try {
    return await analyseFiles(films, files, {
      runs: [{ line, journal }],
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
    await journal.close();
  }
}

function noteUnlabelled(files: readonly string[], { note }: EvaluationListener): void {
  if (files.length === 0) return;
  const names = `${files.slice(0, NAMES_SHOWN).join(', ')}${files.length > NAMES_SHOWN ? ' ...' : ''}`;
  note(`not looked at, as no row of the labels file names them: ${files.length} files, ${names}`);
}

function noteFailures(failures: readonly Failure[], { note }: EvaluationListener): void {
  for (const { file, why } of failures.slice(0, NAMES_SHOWN)) note(`${file}: ${why}`);
  if (failures.length > NAMES_SHOWN)
    note(`${failures.length - NAMES_SHOWN} more films could not be worked on; report.json names them`);
}

async function drawMistakes(
  { films, finding, settings }: EvaluationReport,
  folder: string,
  line: Line,
): Promise<MistakePicture[]> {
  const { missed, falseAlarms } = worstMistakes(films, settings.threshold, MISTAKES_SHOWN);
  const wanted = [
    ...missed.map((film) => ({ kind: 'missed' as const, film })),
    ...falseAlarms.map((film) => ({ kind: 'false-alarm' as const, film })),
  ];
  const drawn: MistakePicture[] = [];
  for (const { kind, film } of wanted) {
    const { file, probability } = film;
    drawn.push({ kind, file, probability, png: await heatMapPng(folder, file, finding, line) });
  }
  return drawn;
}

/** A report that was cut off looks like a report. Resolves to the path of the page. */
async function writeReport(
  report: EvaluationReport,
  text: string,
  { out }: Pick<EvaluationOptions, 'out'>,
): Promise<string> {
  const html = join(out, 'report.html');
  await writeAtomically(join(out, 'report.json'), `${JSON.stringify(report, null, 1)}\n`, { mode: PRIVATE_MODE });
  await writeAtomically(html, text, { mode: PRIVATE_MODE });
  return html;
}
