import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openLine } from '../app/line';
import { writeAtomically } from '../base/atomic-file';
import { HilumError } from '../base/errors';
import { type Config, configSchema, readConfig } from '../config/config';
import { applyThreshold } from '../evaluation/apply-threshold';
import { Journal } from '../evaluation/journal';
import { readLabels } from '../evaluation/labels';
import { heatMapPng, worstMistakes } from '../evaluation/mistakes';
import { page } from '../evaluation/page';
import type { MistakePicture } from '../evaluation/page-sections';
import { type EvaluationReport, makeReport } from '../evaluation/report';
import { analyseFiles, type Failure } from '../evaluation/run';
import { unlabelledFiles } from '../evaluation/unlabelled';
import { decimal, estimateText, percent, shareText } from '../evaluation/words';
import { leadingOf } from '../objects/analysis';
import type { Line } from '../pipeline/pipeline';
import { modelsOfFolder } from './models-of-folder';
import { progressBar } from './progress';

export interface EvaluateOptions {
  readonly labels: string;
  readonly films: string;
  readonly out: string;
  readonly positive?: string | undefined;
  /** Wanted sensitivity, 0..1. */
  readonly sensitivity: number;
  readonly models?: string | undefined;
  /** The site's configuration: its models and its operating point. */
  readonly config?: string | undefined;
  /** Writes the chosen threshold into `config`. */
  readonly applyThreshold: boolean;
}

const BOOTSTRAP = { rounds: 1000, seed: 1 };
/** Of each kind. */
const MISTAKES_SHOWN = 6;

/**
 * How well the shipped pipeline does on films whose truth is known. Stopped and started again, it goes on where it was.
 * Resolves to the exit status: 1 when the threshold was to be applied and must not be, or when films could not be
 * worked on.
 */
export async function evaluate(options: EvaluateOptions): Promise<number> {
  const started = new Date();
  const csv = await readFile(options.labels);
  const labels = readLabels(csv, options.positive);
  for (const { line, text } of labels.problems) say(`${options.labels}, line ${line}: ${text}`);
  if (!(await stat(options.films).catch(() => null))?.isDirectory())
    throw new HilumError('LABELS_INVALID', 'permanent', `--films ${options.films} is no folder`);
  const config = options.config === undefined ? null : readConfig(options.config);
  const unlabelled = await unlabelledFiles(options.films, labels.films, [options.out, options.labels]);
  if (unlabelled.length > 0) say(`not looked at, as no row of the labels file names them: ${named(unlabelled)}`);
  const line = await lineOf(config, options.models);
  const { operatingPoint: threshold } = leadingOf(line.identity());
  const { report, mistakes, failed } = await withLine(line, async () => {
    const { records, failures } = await analyseAll(
      options,
      labels.films.map(({ file }) => file),
      line,
    );
    const report = makeReport({
      labels,
      labelsSha256: createHash('sha256').update(csv).digest('hex'),
      records,
      failures,
      identity: line.identity(),
      unlabelled,
      now: started,
      settings: {
        threshold,
        thresholdFrom: config?.classification.threshold === undefined ? 'model' : 'configuration',
        wantedSensitivity: options.sensitivity,
        bootstrap: BOOTSTRAP,
      },
    });
    tellFailures(failures);
    return { report, mistakes: await drawMistakes(report, options.films, line), failed: failures.length };
  });
  // A report that was cut off looks like a report.
  await writeAtomically(join(options.out, 'report.json'), `${JSON.stringify(report, null, 1)}\n`);
  await writeAtomically(join(options.out, 'report.html'), page(report, mistakes));
  process.stdout.write(summary(report, join(options.out, 'report.html')));
  const applied = options.applyThreshold && options.config !== undefined ? await apply(report, options.config) : true;
  return applied && failed === 0 ? 0 : 1;
}

function lineOf(config: Config | null, models: string | undefined): Promise<Line> {
  const chosen = config === null ? modelsOfFolder(models, say) : { ...config.models, dir: models ?? config.models.dir };
  return openLine(
    chosen,
    config?.results ?? configSchema.shape.results.parse({}),
    config?.decode,
    undefined,
    config?.classification,
  );
}

async function withLine<T>(line: Line, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await line.reader.close();
  }
}

async function analyseAll({ films, out }: EvaluateOptions, files: readonly string[], line: Line) {
  const journal = await Journal.open(out, line.identity());
  let progress: ReturnType<typeof progressBar> | undefined;
  try {
    return await analyseFiles(films, files, {
      line,
      journal,
      onStart: (left) => {
        if (left < files.length)
          say(`${files.length - left} of ${files.length} films need no work: done before, or not there`);
        progress = progressBar(left);
      },
      onFilm: () => {
        progress?.clear();
        progress?.advance();
      },
    });
  } finally {
    progress?.clear();
    await journal.close();
  }
}

async function drawMistakes(
  { films, settings }: EvaluationReport,
  folder: string,
  line: Line,
): Promise<MistakePicture[]> {
  const { missed, falseAlarms } = worstMistakes(films, settings.threshold, MISTAKES_SHOWN);
  const wanted = [
    ...missed.map((film) => ({ kind: 'missed' as const, film })),
    ...falseAlarms.map((film) => ({ kind: 'false-alarm' as const, film })),
  ];
  const drawn: MistakePicture[] = [];
  for (const {
    kind,
    film: { file, probability },
  } of wanted)
    drawn.push({ kind, file, probability, png: await heatMapPng(folder, file, line) });
  return drawn;
}

/** Says what was done; false when it must not be. */
async function apply({ choice: { threshold, objections } }: EvaluationReport, config: string): Promise<boolean> {
  if (threshold === null || objections.length > 0) {
    say(`the threshold is not written into ${config}: ${objections.join('; ')}`);
    return false;
  }
  await applyThreshold(config, threshold, readConfig);
  say(`classification.threshold ${threshold} is written into ${config}; the service takes it at its next start`);
  return true;
}

function tellFailures(failures: readonly Failure[]): void {
  for (const { file, why } of failures.slice(0, SHOWN)) say(`${file}: ${why}`);
  if (failures.length > SHOWN)
    say(`${failures.length - SHOWN} more films could not be worked on; report.json names them`);
}

/** Names that the terminal shows. */
const SHOWN = 10;
const named = (files: readonly string[]) =>
  `${files.length} files, ${files.slice(0, SHOWN).join(', ')}${files.length > SHOWN ? ' ...' : ''}`;

function summary(
  { counts, labels, auc, atOperatingPoint, calibration, choice }: EvaluationReport,
  html: string,
): string {
  const { threshold, measured, wantedSensitivity } = choice;
  const lines = [
    `${counts.analysed} of ${counts.labelled} films analysed, ${counts.positive} "${labels.positive}", ${counts.negative} "${labels.negative}", ${counts.patients} patients${labels.guessed ? ` ("${labels.positive}" taken for the finding; --positive VALUE says otherwise)` : ''}`,
    `AUC ${estimateText(auc.value, auc.interval)}, expected calibration error ${decimal(calibration.expectedCalibrationError)}`,
    `at the operating point ${decimal(atOperatingPoint.threshold, 4)}: sensitivity ${shareText(atOperatingPoint.sensitivity)}; specificity ${shareText(atOperatingPoint.specificity)}`,
    `for a sensitivity of ${percent(wantedSensitivity)}: threshold ${decimal(threshold, 6)}; on the other half of the patients ${measured === null ? 'nothing to measure' : `sensitivity ${shareText(measured.sensitivity)}, specificity ${shareText(measured.specificity)}`}`,
    `report: ${html}`,
  ];
  return `${lines.join('\n')}\n`;
}

function say(text: string): void {
  process.stderr.write(`hilum: ${text}\n`);
}
