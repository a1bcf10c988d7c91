import type { EvaluationReport } from '../evaluation/report';
import { figuresIn } from '../evaluation/words';
import type { Language, Words } from '../language/say';
import { HilumCommand, note, parseLanguage, UsageError } from './command';
import { progressBar } from './progress';

interface EvaluateOptions {
  readonly labels: string;
  readonly films: string;
  readonly out: string;
  readonly positive?: string;
  readonly finding?: string;
  readonly sensitivity: number;
  readonly models?: string;
  readonly config?: string;
  readonly language?: Language;
  readonly protocol?: string;
  readonly compare?: string;
  readonly csv?: string;
  /** The configuration file that the proposed threshold is written into. */
  readonly applyThreshold?: string;
}

/** Exit status where acceptance criteria are not met. */
const NOT_ACCEPTED = 4;

export const evaluate = new HilumCommand(
  'evaluate',
  'how well it does on your own labelled films: a report in HTML and JSON',
)
  .description(
    'How well it does on your own labelled films (DICOM, PNG, JPEG): a report in HTML and JSON, to be printed and ' +
      'filed. Stopped and started again, it goes on where it was. Ends with 1 when the threshold was to be applied ' +
      'and must not be, or when films could not be worked on; with 3 when the report could not be written; with 4 ' +
      'when it does not meet the acceptance criteria of the protocol.',
  )
  .requiredOption('--labels <FILE.csv>', 'which film has the finding: columns file and label')
  .requiredOption('--films <DIR>', 'the folder of the films')
  .requiredOption('--out <DIR>', 'where the report goes')
  .option('--positive <VALUE>', 'which label is the finding')
  .option('--finding <LABEL>', 'which finding of the classifiers is evaluated; by default the first')
  .option('--sensitivity <SHARE>', 'the sensitivity that a threshold is chosen for', parseShare, 0.95)
  .option('--protocol <FILE>', 'site, examiner, stated prevalence, proposed threshold and acceptance criteria (YAML)')
  .option('--compare <WHAT>', 'on the same films: a threshold (0.3), a folder of models or another configuration')
  .option('--csv <FILE>', 'a table with a row for each film')
  .option('--config <FILE>', 'the models and the operating point of a configuration')
  .option('--models <DIR>', 'another folder of models')
  .option('--language <LANGUAGE>', "of the page: en, es, de or fr; by default the configuration's", parseLanguage)
  .option('--apply-threshold <FILE>', 'writes that threshold into this configuration')
  .example(
    'hilum evaluate --labels labels.csv --films FOLDER --out REPORT',
    'hilum evaluate --labels labels.csv --films FOLDER --out REPORT --protocol protocol.yaml --csv films.csv',
    'hilum evaluate --labels labels.csv --films FOLDER --out REPORT --compare NEW.yaml',
    'hilum evaluate --labels labels.csv --films FOLDER --out REPORT --apply-threshold /etc/hilum/hilum.yaml',
  )
  .does(async ({ applyThreshold, ...options }: EvaluateOptions) => {
    const config = oneOf(options.config, applyThreshold);
    const { evaluateFilms, writeThreshold } = await import('../app/evaluate.js');
    let progress: ReturnType<typeof progressBar> | undefined;
    const { report, isFirst, html, failed } = await evaluateFilms(
      { ...options, config },
      {
        note,
        start: (left) => void (progress = progressBar(left)),
        film() {
          progress?.clear();
          progress?.advance();
        },
        end: () => progress?.clear(),
      },
    );
    // Commands print English.
    const { ENGLISH } = await import('../language/words.js');
    process.stdout.write(summary(report, html, ENGLISH));
    const applied =
      applyThreshold === undefined ||
      (await apply(report.choice, applyThreshold, (threshold) =>
        writeThreshold(applyThreshold, { finding: report.finding, isFirst }, threshold),
      ));
    if (!applied || failed > 0) return 1;
    return report.acceptance?.isAccepted === false ? NOT_ACCEPTED : 0;
  });

function parseShare(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1))
    throw new UsageError(`--sensitivity is a share above 0 and at most 1, such as 0.95, not ${text}`);
  return value;
}

/** A threshold holds for the models that it was measured with, so it can't go into another configuration. */
function oneOf(config: string | undefined, applied: string | undefined): string | undefined {
  if (config !== undefined && applied !== undefined && config !== applied)
    throw new UsageError('--config and --apply-threshold name two files');
  return config ?? applied;
}

/** Writes the threshold and prints what was done; false when it must not be written. */
async function apply(
  { threshold, objections }: EvaluationReport['choice'],
  config: string,
  write: (threshold: number) => Promise<string>,
): Promise<boolean> {
  if (threshold === null || objections.length > 0) {
    note(`the threshold is not written into ${config}: ${objections.join('; ')}`);
    return false;
  }
  const key = await write(threshold);
  note(`${key} ${threshold} is written into ${config}; the service takes it at its next start`);
  return true;
}

function summary(
  { counts, labels, auc, atOperatingPoint, calibration, choice, flagged, acceptance, comparison }: EvaluationReport,
  html: string,
  words: Words,
): string {
  const { threshold, measured, wantedSensitivity } = choice;
  const { percent, decimal, share, estimate } = figuresIn(words);
  const lines = [
    `${counts.analysed} of ${counts.labelled} films analysed, ${counts.positive} "${labels.positive}", ${counts.negative} "${labels.negative}", ${counts.patients} patients${labels.guessed ? ` ("${labels.positive}" taken for the finding; --positive VALUE says otherwise)` : ''}`,
    `AUC ${estimate(auc.value, auc.interval)}, expected calibration error ${decimal(calibration.expectedCalibrationError)}`,
    `at the operating point ${decimal(atOperatingPoint.threshold, 4)}: ${[
      `sensitivity ${share(atOperatingPoint.sensitivity)}`,
      `specificity ${share(atOperatingPoint.specificity)}`,
      `flagged ${share(flagged)}`,
    ].join('; ')}`,
    `for a sensitivity of ${percent(wantedSensitivity)}: threshold ${decimal(threshold, 6)}; on the other half of the patients ${measured === null ? 'nothing to measure' : `sensitivity ${share(measured.sensitivity)}, specificity ${share(measured.specificity)}`}`,
    ...compared(comparison, words),
    ...judged(acceptance),
    `report: ${html}`,
  ];
  return `${lines.join('\n')}\n`;
}

function compared(comparison: EvaluationReport['comparison'], words: Words): string[] {
  if (comparison === null) return [];
  const { decimal, estimate } = figuresIn(words);
  const { name, films, auc } = comparison;
  const difference = estimate(auc.difference.value, auc.difference.interval);
  return [`compared with ${name} on ${films} films: AUC ${decimal(auc.second)}, difference ${difference}`];
}

function judged(acceptance: EvaluationReport['acceptance']): string[] {
  if (acceptance === null) return [];
  const { criteria, isAccepted } = acceptance;
  const missed = criteria.filter(({ isMet }) => !isMet).map(({ name }) => name);
  const told = `acceptance criteria: ${criteria.length - missed.length} of ${criteria.length} met`;
  return [isAccepted ? told : `${told}; not met: ${missed.join(', ')}`];
}
