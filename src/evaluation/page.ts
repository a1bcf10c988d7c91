import { RESEARCH_USE } from '../finding/wording';
import { LEAST_FOR_INTERVAL } from '../statistics/bootstrap';
import { thin } from '../statistics/curves';
import { html, Markup, table } from './markup';
import {
  choiceSection,
  exclusionSection,
  type MistakePicture,
  mistakesSection,
  subgroupSection,
} from './page-sections';
import { calibrationPlot, precisionRecallPlot, rocPlot } from './plots';
import type { AtThreshold, EvaluationReport } from './report';
import { STYLE_SHEET } from './style';
import { decimal, estimateText, percent, shareText } from './words';

/** The whole report as one HTML file: nothing in it asks the network for anything, and its policy forbids it. */
export function page(report: EvaluationReport, mistakes: readonly MistakePicture[]): string {
  const document = html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta
        http-equiv="Content-Security-Policy"
        content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"
      />
      <title>Hilum evaluation: ${report.finding}</title>
      <style>
        ${new Markup(STYLE_SHEET)}
      </style>
    </head>
    <body>
      <main>
        ${summarySection(report)} ${figuresSection(report)} ${curvesSection(report)} ${calibrationSection(report)}
        ${choiceSection(report)} ${subgroupSection(report)} ${exclusionSection(report)}
        ${mistakesSection(report, mistakes)} ${limitsSection(report)}
      </main>
    </body>
  </html> `;
  return `<!doctype html>\n${document.text}`;
}

function summarySection({
  finding,
  madeAt,
  softwareVersion,
  models,
  settings,
  labels,
  counts,
}: EvaluationReport): Markup {
  const whose = settings.thresholdFrom === 'model' ? "the model's own" : 'of the configuration';
  return html`<header>
    <h1>Evaluation of Hilum on this site's films</h1>
    <p class="warning">
      ${RESEARCH_USE.sentence} This page shows films and file names: keep it as you keep patient data.
    </p>
    <p>
      Finding: ${finding}. ${counts.analysed} of ${counts.labelled} labelled films analysed (${counts.positive} with the
      finding, ${counts.negative} without), ${counts.patients} patients. Made ${madeAt.slice(0, 16).replace('T', ' ')}
      UTC.
    </p>
    <ul>
      <li>
        Label "${labels.positive}" counts as the finding, "${labels.negative}" as its
        absence${labels.guessed ? ': this was guessed from the spelling; --positive VALUE says otherwise' : ''}.
      </li>
      <li>
        Operating point: ${decimal(settings.threshold, 6)}, ${whose}. A film counts as called at this probability or
        more.
      </li>
      ${caveats(labels, counts)}
    </ul>
    ${table(
      `Hilum ${softwareVersion}, and what it ran`,
      ['model', 'version', 'task', 'SHA-256'],
      models.map(({ id, version, task, sha256 }) => [id, version, task, sha256.slice(0, 16)]),
    )}
    <p class="faint">Labels file: SHA-256 ${labels.sha256}.</p>
  </header>`;
}

/** What to bear in mind of whose the films are, and of what their files can't say. */
function caveats({ hasPatients }: EvaluationReport['labels'], counts: EvaluationReport['counts']): Markup[] {
  return [
    hasPatients
      ? null
      : html`<li>The labels file names no patients: a DICOM film counts to the Patient ID in its header.</li>`,
    counts.withoutPatient === 0
      ? null
      : html`<li>
          Nothing says whose ${counts.withoutPatient} of the films are: each counts as a patient of its own. Where a
          patient has several of them, intervals come out too narrow, and the patient may stand in both halves of the
          threshold's choice.
        </li>`,
    isOnePatientMuch(counts)
      ? html`<li class="warning">
          ${counts.mostOfOnePatient} of the ${counts.analysed} films count as one patient's. If Patient IDs were
          replaced by one for all, name the patients in the labels file.
        </li>`
      : null,
    counts.withoutHeader === 0
      ? null
      : html`<li>
          ${counts.withoutHeader} of the films are PNG or JPEG: the checks of the DICOM header (modality, body part,
          view, window, orientation) did not apply to them. The service sees DICOM only.
        </li>`,
  ].filter((caveat) => caveat !== null);
}

/** Few patients have more films than this share of a whole evaluation. */
function isOnePatientMuch({ mostOfOnePatient: most, analysed }: EvaluationReport['counts']): boolean {
  return most >= 10 && most > 0.1 * analysed;
}

function figuresSection({
  auc,
  averagePrecision,
  atHalf,
  atOperatingPoint,
  counts,
  labels,
  settings,
}: EvaluationReport): Markup {
  const row = (name: string, figure: (at: AtThreshold) => string) => [name, figure(atHalf), figure(atOperatingPoint)];
  const rows = [
    row('accuracy', ({ accuracy }) => shareText(accuracy)),
    row('sensitivity', ({ sensitivity }) => shareText(sensitivity)),
    row('specificity', ({ specificity }) => shareText(specificity)),
    row('precision', ({ precision }) => shareText(precision)),
    row('F1', ({ f1, f1Interval }) => estimateText(f1, f1Interval)),
  ];
  return html`<section>
    <h2>Figures</h2>
    ${table(
      'Over all analysed films, threshold-free',
      ['', 'value (95 % interval)'],
      [
        ['area under the ROC curve', estimateText(auc.value, auc.interval)],
        ['average precision', estimateText(averagePrecision.value, averagePrecision.interval)],
      ],
    )}
    ${table(
      'At two thresholds, with 95 % intervals',
      ['', 'at 0.5', `at the operating point, ${decimal(atOperatingPoint.threshold, 4)}`],
      rows,
    )}
    <div class="plot">
      ${matrix('at 0.5', atHalf, labels)}${matrix('at the operating point', atOperatingPoint, labels)}
    </div>
    <p class="faint">
      Intervals of shares: Wilson, by film. Of AUC, average precision and F1: bootstrap by patient,
      ${settings.bootstrap.rounds} rounds, seed ${settings.bootstrap.seed}; no interval where a class has fewer than
      ${LEAST_FOR_INTERVAL} patients, or where the classes do not overlap and every draw comes out
      alike.${wilsonCaveat(counts)}
    </p>
  </section>`;
}

function wilsonCaveat({ patients, analysed }: EvaluationReport['counts']): string {
  if (patients >= analysed) return '';
  return (
    ` The ${analysed} films are of ${patients} patients: Wilson's intervals take each film for a patient of its own ` +
    'and are somewhat too narrow.'
  );
}

function matrix(
  where: string,
  { confusion: { truePositive, falseNegative, falsePositive, trueNegative } }: AtThreshold,
  { positive, negative }: EvaluationReport['labels'],
): Markup {
  return table(
    `Confusion matrix ${where}`,
    ['label', 'called', 'not called'],
    [
      [positive, truePositive, falseNegative],
      [negative, falsePositive, trueNegative],
    ],
  );
}

/** Points of a curve that its table shows. */
const TABLE_POINTS = 15;

function curvesSection({ curve, auc, averagePrecision, atOperatingPoint, counts }: EvaluationReport): Markup {
  if (curve.length === 0)
    return html`<section>
      <h2>Curves</h2>
      <p>Films of one class only: there is no curve.</p>
    </section>`;
  const { sensitivity, specificity, precision } = atOperatingPoint;
  const rocMark =
    sensitivity.value === null || specificity.value === null
      ? null
      : ([1 - specificity.value, sensitivity.value] as const);
  const precisionMark =
    sensitivity.value === null || precision.value === null ? null : ([sensitivity.value, precision.value] as const);
  const points = thin(curve, TABLE_POINTS);
  const at =
    `The dot is the operating point: sensitivity ${percent(sensitivity.value)}, ` +
    `specificity ${percent(specificity.value)}, precision ${percent(precision.value)}.`;
  const rocText =
    `Area under the curve ${estimateText(auc.value, auc.interval)}. ${at} ` +
    'The table beside has points of the curve.';
  const precisionText =
    `Average precision ${decimal(averagePrecision.value)}. ${at} The dashed line is a guess at random. ` +
    'The table beside has points of the curve.';
  return html`<section>
    <h2>ROC curve</h2>
    <div class="plot">
      ${rocPlot(curve, rocMark, rocText)}
      ${table(
        'Points of the ROC curve',
        ['threshold', 'sensitivity', '1 - specificity'],
        points.map((point) => [decimal(point.threshold), percent(point.sensitivity), percent(point.falsePositiveRate)]),
      )}
    </div>
    <h2>Precision-recall curve</h2>
    <div class="plot">
      ${precisionRecallPlot(curve, precisionMark, counts.positive / counts.analysed, precisionText)}
      ${table(
        'Points of the precision-recall curve',
        ['threshold', 'recall', 'precision'],
        points.map((point) => [decimal(point.threshold), percent(point.sensitivity), percent(point.precision)]),
      )}
    </div>
  </section>`;
}

function calibrationSection({ calibration }: EvaluationReport): Markup {
  const { bins, expectedCalibrationError: error } = calibration;
  const filled = bins.filter(({ n }) => n > 0);
  return html`<section>
    <h2>Calibration</h2>
    <p>
      Expected calibration error: ${decimal(error)}. Where the points lie below the dashed line, the probabilities are
      too high for these films. It depends on how many of these films have the finding.
    </p>
    <div class="plot">
      ${calibrationPlot(
        calibration,
        `Expected calibration error ${decimal(error)} over ten bins. The table beside has all points.`,
      )}
      ${table(
        'Probability given and share found',
        ['probability', 'films', 'mean probability', 'share with the finding'],
        filled.map(({ from, to, n, predicted, observed }) => [
          `${from.toFixed(1)} to ${to.toFixed(1)}`,
          n,
          decimal(predicted),
          shareText(observed),
        ]),
      )}
    </div>
  </section>`;
}

function limitsSection({ counts, labels }: EvaluationReport): Markup {
  return html`<section>
    <h2>What this does not say</h2>
    <ul>
      <li>
        How Hilum does on films that nobody labelled, on other devices, in other years, or at another share of patients
        with the finding: precision, accuracy and calibration move with that share.
      </li>
      <li>
        Anything about the ${counts.labelled - counts.analysed} films that were not analysed. A sensitivity among
        analysed films leaves them out.
      </li>
      <li>
        That the labels "${labels.positive}" and "${labels.negative}" are right. A figure can't be better than they are.
      </li>
      <li>
        That the evidence is in the lungs. Where films with and without the finding come from different devices or
        wards, a model can tell the devices apart: look at the subgroups and at the heat maps.
      </li>
      <li>That Hilum helps anybody. That takes a study of its own.</li>
    </ul>
  </section>`;
}
