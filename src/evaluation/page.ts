import { html, type Html } from '../base/html';
import { say, type Words } from '../language/say';
import { ENGLISH } from '../language/words';
import { MIN_FOR_INTERVAL } from '../statistics/bootstrap';
import { thin } from '../statistics/curves';
import {
  acceptanceSection,
  comparisonSection,
  confusionTable,
  signatureSection,
  testSection,
  useSection,
} from './acceptance-sections';
import {
  choiceSection,
  exclusionSection,
  type MistakePicture,
  mistakesSection,
  subgroupSection,
} from './page-sections';
import { calibrationPlot, histogramPlot, precisionRecallPlot, rocPlot } from './plots';
import type { AtThreshold, EvaluationReport } from './report';
import { table } from './table';
import { wholePage } from './whole-page';
import { figuresIn } from './words';

/** The report as one HTML file without any network access, which its Content Security Policy forbids. */
export function page(report: EvaluationReport, mistakes: readonly MistakePicture[], words: Words = ENGLISH): string {
  const content = html`${summarySection(report, words)} ${testSection(report.protocol, words)}
  ${acceptanceSection(report, words)} ${figuresSection(report, words)} ${useSection(report, words)}
  ${curvesSection(report, words)} ${calibrationSection(report, words)} ${histogramSection(report, words)}
  ${choiceSection(report, words)} ${comparisonSection(report, words)} ${subgroupSection(report, words)}
  ${exclusionSection(report, words)} ${mistakesSection(report, mistakes, words)} ${limitsSection(report, words)}
  ${signatureSection(report.protocol, words)}`;
  const title = say(words, 'evaluation.title', { finding: report.finding });
  return wholePage({ title, footer: footerOf(report), content }, words);
}

/** Footer of each printed page: the report that it belongs to. */
function footerOf({ protocol, softwareVersion, madeAt }: EvaluationReport): string {
  const at = `${madeAt.slice(0, 16).replace('T', ' ')} UTC`;
  return [protocol?.site, `Hilum ${softwareVersion}`, at].filter((part) => part !== undefined).join(', ');
}

function summarySection(
  { finding, madeAt, softwareVersion, models, settings, labels, counts }: EvaluationReport,
  words: Words,
): Html {
  const { analysed, labelled, positive, negative, patients } = counts;
  const at = madeAt.slice(0, 16).replace('T', ' ');
  const point = figuresIn(words).decimal(settings.threshold, 6);
  const label = { positive: labels.positive, negative: labels.negative };
  return html`<header>
    <h1>${say(words, 'evaluation.heading')}</h1>
    <p class="warning">${say(words, 'research.sentence')} ${say(words, 'evaluation.keep')}</p>
    <p>${say(words, 'evaluation.summary', { finding, analysed, labelled, positive, negative, patients, at })}</p>
    <ul>
      <li>${say(words, labels.guessed ? 'evaluation.labelsGuessed' : 'evaluation.labels', label)}</li>
      <li>
        ${say(
          words,
          settings.thresholdFrom === 'model' ? 'evaluation.pointOfModel' : 'evaluation.pointOfConfiguration',
          { point },
        )}
      </li>
      ${caveats(labels, counts, words)}
    </ul>
    ${table(
      say(words, 'evaluation.software', { version: softwareVersion }),
      [
        say(words, 'evaluation.column.model'),
        say(words, 'evaluation.column.version'),
        say(words, 'evaluation.column.task'),
        'SHA-256',
      ],
      models.map(({ id, version, task, sha256 }) => [id, version, task, sha256.slice(0, 16)]),
    )}
    <p class="faint">${say(words, 'evaluation.labelsFile', { sha256: labels.sha256 })}</p>
  </header>`;
}

/** Caveats on the films' patients, and on facts that the files do not state. */
function caveats(
  { hasPatients }: EvaluationReport['labels'],
  counts: EvaluationReport['counts'],
  words: Words,
): Html[] {
  const { withoutPatient, withoutHeader, mostOfOnePatient: most, analysed } = counts;
  return [
    hasPatients ? null : html`<li>${say(words, 'evaluation.noPatients')}</li>`,
    withoutPatient === 0 ? null : html`<li>${say(words, 'evaluation.withoutPatient', { count: withoutPatient })}</li>`,
    isOnePatientMuch(counts)
      ? html`<li class="warning">${say(words, 'evaluation.onePatient', { most, analysed })}</li>`
      : null,
    withoutHeader === 0 ? null : html`<li>${say(words, 'evaluation.withoutHeader', { count: withoutHeader })}</li>`,
  ].filter((caveat) => caveat !== null);
}

/** Whether one patient has an unusual share of the films. */
function isOnePatientMuch({ mostOfOnePatient: most, analysed }: EvaluationReport['counts']): boolean {
  return most >= 10 && most > 0.1 * analysed;
}

function figuresSection(
  { auc, averagePrecision, atHalf, atOperatingPoint, counts, labels, settings }: EvaluationReport,
  words: Words,
): Html {
  const { decimal, share, estimate } = figuresIn(words);
  const row = (name: string, figure: (at: AtThreshold) => string) => [name, figure(atHalf), figure(atOperatingPoint)];
  const half = decimal(0.5, 1);
  const intervals = say(words, 'evaluation.figures.intervals', {
    rounds: settings.bootstrap.rounds,
    seed: settings.bootstrap.seed,
    least: MIN_FOR_INTERVAL,
  });
  return html`<section>
    <h2>${say(words, 'evaluation.figures.heading')}</h2>
    ${table(
      say(words, 'evaluation.figures.free'),
      ['', say(words, 'evaluation.figures.value')],
      [
        [say(words, 'evaluation.figures.auc'), estimate(auc.value, auc.interval)],
        [
          say(words, 'evaluation.figures.averagePrecision'),
          estimate(averagePrecision.value, averagePrecision.interval),
        ],
      ],
    )}
    ${table(
      say(words, 'evaluation.figures.thresholds'),
      [
        '',
        say(words, 'evaluation.figures.atHalf', { half }),
        say(words, 'evaluation.figures.atPoint', { point: decimal(atOperatingPoint.threshold, 4) }),
      ],
      [
        row(say(words, 'evaluation.figures.accuracy'), ({ accuracy }) => share(accuracy)),
        row(say(words, 'evaluation.figures.sensitivity'), ({ sensitivity }) => share(sensitivity)),
        row(say(words, 'evaluation.figures.specificity'), ({ specificity }) => share(specificity)),
        row(say(words, 'evaluation.figures.precision'), ({ precision }) => share(precision)),
        row('F1', ({ f1, f1Interval }) => estimate(f1, f1Interval)),
      ],
    )}
    <div class="plot">
      ${confusionTable(say(words, 'evaluation.figures.matrixAtHalf', { half }), atHalf, labels, words)}${confusionTable(
        say(words, 'evaluation.figures.matrixAtPoint'),
        atOperatingPoint,
        labels,
        words,
      )}
    </div>
    <p class="faint">${intervals}${wilsonCaveat(counts, words)}</p>
  </section>`;
}

function wilsonCaveat({ patients, analysed }: EvaluationReport['counts'], words: Words): string {
  return patients >= analysed ? '' : ` ${say(words, 'evaluation.figures.wilson', { analysed, patients })}`;
}

/** Number of points of a curve in its table. */
const TABLE_POINTS = 15;

function curvesSection(report: EvaluationReport, words: Words): Html {
  return report.curve.length === 0
    ? html`<section>
        <h2>${say(words, 'evaluation.curves.heading')}</h2>
        <p>${say(words, 'evaluation.curves.oneClass')}</p>
      </section>`
    : html`<section>${rocPart(report, words)} ${precisionRecallPart(report, words)}</section>`;
}

/** Description of the operating point on both curves. */
function dotWords({ sensitivity, specificity, precision }: AtThreshold, words: Words): string {
  const { percent } = figuresIn(words);
  return say(words, 'evaluation.curves.dot', {
    sensitivity: percent(sensitivity.value),
    specificity: percent(specificity.value),
    precision: percent(precision.value),
  });
}

function rocPart({ curve, auc, atOperatingPoint }: EvaluationReport, words: Words): Html {
  const { percent, decimal, estimate } = figuresIn(words);
  const { sensitivity, specificity } = atOperatingPoint;
  const mark =
    sensitivity.value === null || specificity.value === null
      ? null
      : ([1 - specificity.value, sensitivity.value] as const);
  const description = [
    say(words, 'evaluation.curves.area', { area: estimate(auc.value, auc.interval) }),
    dotWords(atOperatingPoint, words),
    say(words, 'evaluation.curves.table'),
  ].join(' ');
  return html`<h2>${say(words, 'evaluation.curves.roc')}</h2>
    <div class="plot">
      ${rocPlot(curve, { mark, description, words })}
      ${table(
        say(words, 'evaluation.curves.rocPoints'),
        [
          say(words, 'evaluation.curves.threshold'),
          say(words, 'evaluation.figures.sensitivity'),
          say(words, 'evaluation.curves.oneMinusSpecificity'),
        ],
        thin(curve, TABLE_POINTS).map((point) => [
          decimal(point.threshold),
          percent(point.sensitivity),
          percent(point.falsePositiveRate),
        ]),
      )}
    </div>`;
}

function precisionRecallPart(
  { curve, averagePrecision, atOperatingPoint, counts }: EvaluationReport,
  words: Words,
): Html {
  const { percent, decimal } = figuresIn(words);
  const { sensitivity, precision } = atOperatingPoint;
  const mark =
    sensitivity.value === null || precision.value === null ? null : ([sensitivity.value, precision.value] as const);
  const description = [
    say(words, 'evaluation.curves.averagePrecision', { value: decimal(averagePrecision.value) }),
    dotWords(atOperatingPoint, words),
    say(words, 'evaluation.curves.random'),
    say(words, 'evaluation.curves.table'),
  ].join(' ');
  return html`<h2>${say(words, 'evaluation.curves.precisionRecall')}</h2>
    <div class="plot">
      ${precisionRecallPlot(curve, counts.positive / counts.analysed, { mark, description, words })}
      ${table(
        say(words, 'evaluation.curves.precisionRecallPoints'),
        [
          say(words, 'evaluation.curves.threshold'),
          say(words, 'evaluation.curves.recall'),
          say(words, 'evaluation.figures.precision'),
        ],
        thin(curve, TABLE_POINTS).map((point) => [
          decimal(point.threshold),
          percent(point.sensitivity),
          percent(point.precision),
        ]),
      )}
    </div>`;
}

function calibrationSection({ calibration }: EvaluationReport, words: Words): Html {
  const { decimal, share } = figuresIn(words);
  const filled = calibration.bins.filter(({ n }) => n > 0);
  const error = decimal(calibration.expectedCalibrationError);
  return html`<section>
    <h2>${say(words, 'evaluation.calibration.heading')}</h2>
    <p>${say(words, 'evaluation.calibration.text', { error })}</p>
    <div class="plot">
      ${calibrationPlot(calibration, say(words, 'evaluation.calibration.plot', { error }), words)}
      ${table(
        say(words, 'evaluation.calibration.caption'),
        [
          say(words, 'evaluation.calibration.probability'),
          say(words, 'evaluation.films'),
          say(words, 'evaluation.calibration.mean'),
          say(words, 'evaluation.calibration.share'),
        ],
        filled.map(({ from, to, n, predicted, observed }) => [
          say(words, 'evaluation.range', { low: decimal(from, 1), high: decimal(to, 1) }),
          n,
          decimal(predicted),
          share(observed),
        ]),
      )}
    </div>
  </section>`;
}

function histogramSection({ histogram, settings }: EvaluationReport, words: Words): Html {
  const { decimal } = figuresIn(words);
  const sum = (of: 'positive' | 'negative') => histogram.reduce((all, bin) => all + bin[of], 0);
  const description = say(words, 'evaluation.histogram.description', {
    positive: sum('positive'),
    others: sum('negative'),
  });
  return html`<section>
    <h2>${say(words, 'evaluation.histogram.heading')}</h2>
    <p>${say(words, 'evaluation.histogram.text')}</p>
    <div class="plot">
      ${histogramPlot(
        histogram.map(({ from, to, positive, negative }) => ({ from, to, up: positive, down: negative })),
        {
          id: 'histogram',
          title: say(words, 'evaluation.histogram.heading'),
          description,
          mark: settings.threshold,
          words,
        },
      )}
      ${table(
        say(words, 'evaluation.histogram.caption'),
        [
          say(words, 'evaluation.calibration.probability'),
          say(words, 'evaluation.subgroups.withFinding'),
          say(words, 'evaluation.histogram.others'),
        ],
        histogram
          .filter(({ positive, negative }) => positive + negative > 0)
          .map(({ from, to, positive, negative }) => [
            say(words, 'evaluation.range', { low: decimal(from, 2), high: decimal(to, 2) }),
            positive,
            negative,
          ]),
      )}
    </div>
  </section>`;
}

function limitsSection({ counts, labels: { positive, negative } }: EvaluationReport, words: Words): Html {
  return html`<section>
    <h2>${say(words, 'evaluation.limits.heading')}</h2>
    <ul>
      <li>${say(words, 'evaluation.limits.elsewhere')}</li>
      <li>${say(words, 'evaluation.limits.leftOut', { count: counts.labelled - counts.analysed })}</li>
      <li>${say(words, 'evaluation.limits.labels', { positive, negative })}</li>
      <li>${say(words, 'evaluation.limits.evidence')}</li>
      <li>${say(words, 'evaluation.limits.help')}</li>
    </ul>
  </section>`;
}
