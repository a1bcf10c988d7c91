import { html, type Html } from '../base/html';
import { type PlainKey, say, type Words } from '../language/say';
import type { PairedEstimate } from '../statistics/bootstrap';
import type { PredictiveValues } from '../statistics/predictive';
import type { ThresholdFigures } from '../statistics/statistics';
import type { Criterion } from './acceptance';
import type { Comparison } from './comparison';
import type { CriterionName, TestFacts } from './protocol';
import type { EvaluationReport } from './report';
import { table } from './table';
import { figuresIn } from './words';

type Said = TestFacts | null;

const personOf = (person: TestFacts['examiner']) => [person?.name, person?.role].filter(Boolean).join(', ');

/** Place, object and people of the test; what no protocol states is left as a line to fill in by hand. */
export function testSection(protocol: Said, words: Words): Html {
  const rows = [
    [say(words, 'evaluation.test.site'), protocol?.site ?? ''],
    [say(words, 'evaluation.test.department'), protocol?.department ?? ''],
    [say(words, 'evaluation.test.device'), protocol?.device ?? ''],
    [say(words, 'evaluation.test.purpose'), protocol?.purpose ?? ''],
    [say(words, 'evaluation.test.examiner'), personOf(protocol?.examiner)],
    [say(words, 'evaluation.test.responsible'), personOf(protocol?.responsible)],
    ...(protocol === null ? [] : [[say(words, 'evaluation.test.protocol'), `SHA-256 ${protocol.sha256}`]]),
  ];
  return html`<section>
    <h2>${say(words, 'evaluation.test.heading')}</h2>
    <div class="words form">
      ${table(
        say(words, 'evaluation.test.caption'),
        [say(words, 'evaluation.test.item'), say(words, 'evaluation.test.entry')],
        rows,
      )}
    </div>
  </section>`;
}

const CRITERION_WORDS: Readonly<Record<CriterionName, PlainKey>> = {
  auc: 'evaluation.figures.auc',
  sensitivity: 'evaluation.figures.sensitivity',
  specificity: 'evaluation.figures.specificity',
  positivePredictiveValue: 'evaluation.criterion.positivePredictiveValue',
  negativePredictiveValue: 'evaluation.criterion.negativePredictiveValue',
  calibrationError: 'evaluation.criterion.calibrationError',
  flagged: 'evaluation.criterion.flagged',
  notAnalysed: 'evaluation.criterion.notAnalysed',
  patientsWith: 'evaluation.choice.patientsWith',
  patientsWithout: 'evaluation.choice.patientsWithout',
};
const COUNTED: readonly CriterionName[] = ['patientsWith', 'patientsWithout'];

export function acceptanceSection({ acceptance }: Pick<EvaluationReport, 'acceptance'>, words: Words): Html {
  const heading = html`<h2>${say(words, 'evaluation.acceptance.heading')}</h2>`;
  if (acceptance === null)
    return html`<section>
      ${heading}
      <p>${say(words, 'evaluation.acceptance.none')}</p>
    </section>`;
  const { criteria, isAccepted, threshold } = acceptance;
  const [all, missed] = [criteria.length, criteria.filter(({ isMet }) => !isMet).length];
  const verdict = isAccepted
    ? html`<p class="verdict">${say(words, 'evaluation.acceptance.accepted', { all })}</p>`
    : html`<p class="verdict warning">${say(words, 'evaluation.acceptance.notAccepted', { missed, all })}</p>`;
  return html`<section>
    ${heading} ${verdict}
    ${table(
      say(words, 'evaluation.acceptance.text', { point: figuresIn(words).decimal(threshold, 6) }),
      [
        say(words, 'evaluation.acceptance.criterion'),
        say(words, 'evaluation.acceptance.demanded'),
        say(words, 'evaluation.figures.value'),
        say(words, 'evaluation.acceptance.result'),
      ],
      criteria.map((criterion) => criterionRow(criterion, words)),
    )}
  </section>`;
}

function criterionRow({ name, kind, limit, by, value, interval, isMet }: Criterion, words: Words) {
  const { decimal, estimate } = figuresIn(words);
  const isCount = COUNTED.includes(name);
  const written = isCount ? String(limit) : decimal(limit);
  const demand = say(words, `evaluation.acceptance.${kind}`, { limit: written });
  const measured =
    isCount || interval === null ? (isCount ? String(value) : decimal(value)) : estimate(value, interval);
  return [
    say(words, CRITERION_WORDS[name]),
    by === 'value' ? demand : say(words, 'evaluation.acceptance.byBound', { demand }),
    measured,
    isMet
      ? say(words, 'evaluation.acceptance.met')
      : html`<strong class="warning">${say(words, 'evaluation.acceptance.notMet')}</strong>`,
  ];
}

/** Number of flagged films, and the meaning of a call at the prevalence that the protocol states. */
export function useSection(report: EvaluationReport, words: Words): Html {
  const { flagged, proposed, atOperatingPoint, predictive, labels } = report;
  const { share, decimal } = figuresIn(words);
  const point = (at: ThresholdFigures) => ({ point: decimal(at.threshold, 4) });
  const columns = ['', say(words, 'evaluation.figures.atPoint', point(atOperatingPoint))];
  if (proposed !== null)
    columns.push(
      say(
        words,
        proposed.from === 'protocol' ? 'evaluation.use.proposedByProtocol' : 'evaluation.use.proposedByChoice',
        point(proposed.figures),
      ),
    );
  const both = (first: string, second: string | null) => [first, ...(second === null ? [] : [second])];
  const row = (name: string, figure: (at: ThresholdFigures) => string) => [
    name,
    ...both(figure(atOperatingPoint), proposed && figure(proposed.figures)),
  ];
  return html`<section>
    <h2>${say(words, 'evaluation.use.heading')}</h2>
    ${table(say(words, 'evaluation.use.caption'), columns, [
      row(say(words, 'evaluation.figures.sensitivity'), ({ sensitivity }) => share(sensitivity)),
      row(say(words, 'evaluation.figures.specificity'), ({ specificity }) => share(specificity)),
      [say(words, 'evaluation.criterion.flagged'), ...both(share(flagged), proposed && share(proposed.flagged))],
    ])}
    ${predictivePart(predictive, columns, words)} ${proposed === null ? null : proposedMatrix(proposed, labels, words)}
  </section>`;
}

function predictivePart(predictive: EvaluationReport['predictive'], columns: readonly string[], words: Words): Html {
  if (predictive === null) return html`<p>${say(words, 'evaluation.use.noPrevalence')}</p>`;
  const { atOperatingPoint, atProposed } = predictive;
  const { percent, estimate } = figuresIn(words);
  const row = (name: string, figure: (values: PredictiveValues) => string) => [
    name,
    figure(atOperatingPoint),
    ...(atProposed === null ? [] : [figure(atProposed)]),
  ];
  return html`${table(
      say(words, 'evaluation.use.prevalence', { share: percent(atOperatingPoint.prevalence) }),
      columns,
      [
        row(say(words, 'evaluation.criterion.positivePredictiveValue'), ({ positive }) =>
          estimate(positive.value, positive.interval),
        ),
        row(say(words, 'evaluation.criterion.negativePredictiveValue'), ({ negative }) =>
          estimate(negative.value, negative.interval),
        ),
        row(say(words, 'evaluation.use.expected'), (values) => percent(values.flagged)),
      ],
    )}
    <p class="faint">${say(words, 'evaluation.use.method')}</p>`;
}

function proposedMatrix(
  { from, figures }: NonNullable<EvaluationReport['proposed']>,
  labels: EvaluationReport['labels'],
  words: Words,
): Html {
  const key = from === 'protocol' ? 'evaluation.use.matrix' : 'evaluation.use.matrixOfChoice';
  return confusionTable(say(words, key), figures, labels, words);
}

/** Confusion table: rows are labels, columns are calls. */
export function confusionTable(
  caption: string,
  { confusion: { truePositive, falseNegative, falsePositive, trueNegative } }: Pick<ThresholdFigures, 'confusion'>,
  { positive, negative }: Pick<EvaluationReport['labels'], 'positive' | 'negative'>,
  words: Words,
): Html {
  return table(
    caption,
    [
      say(words, 'evaluation.figures.label'),
      say(words, 'evaluation.figures.called'),
      say(words, 'evaluation.figures.notCalled'),
    ],
    [
      [positive, truePositive, falseNegative],
      [negative, falsePositive, trueNegative],
    ],
  );
}

/** Section on the comparison; null where nothing is compared. */
export function comparisonSection(
  { comparison, labels }: Pick<EvaluationReport, 'comparison' | 'labels'>,
  words: Words,
): Html | null {
  if (comparison === null) return null;
  const { name, films, patients, onlyFirst, onlySecond, models, kind } = comparison;
  return html`<section>
    <h2>${say(words, 'evaluation.comparison.heading', { name })}</h2>
    <p>${say(words, 'evaluation.comparison.text', { films, patients })}</p>
    ${pairedTable(comparison, words)} ${callsTable(comparison, labels, words)}
    <p>${say(words, 'evaluation.comparison.only', { first: onlyFirst, second: onlySecond })}</p>
    ${
      kind === 'threshold'
        ? null
        : table(
            say(words, 'evaluation.comparison.models'),
            [say(words, 'evaluation.column.model'), say(words, 'evaluation.column.version'), 'SHA-256'],
            models.map(({ id, version, sha256 }) => [id, version, sha256.slice(0, 16)]),
          )
    }
  </section>`;
}

function pairedTable({ thresholds, auc, sensitivity, specificity, flagged }: Comparison, words: Words): Html {
  const { decimal, estimate } = figuresIn(words);
  const row = (title: string, { first, second, difference }: PairedEstimate) => [
    title,
    decimal(first),
    decimal(second),
    estimate(difference.value, difference.interval),
  ];
  return table(
    say(words, 'evaluation.comparison.caption'),
    [
      '',
      say(words, 'evaluation.comparison.first', { point: decimal(thresholds.first, 4) }),
      say(words, 'evaluation.comparison.second', { point: decimal(thresholds.second, 4) }),
      say(words, 'evaluation.comparison.difference'),
    ],
    [
      row(say(words, 'evaluation.figures.auc'), auc),
      row(say(words, 'evaluation.figures.sensitivity'), sensitivity),
      row(say(words, 'evaluation.figures.specificity'), specificity),
      row(say(words, 'evaluation.criterion.flagged'), flagged),
    ],
  );
}

function callsTable({ calls }: Comparison, labels: EvaluationReport['labels'], words: Words): Html {
  const row = (label: string, { both, first, second, neither }: Comparison['calls']['positive']) => [
    label,
    both,
    first,
    second,
    neither,
  ];
  return table(
    say(words, 'evaluation.comparison.calls'),
    [
      say(words, 'evaluation.figures.label'),
      say(words, 'evaluation.comparison.both'),
      say(words, 'evaluation.comparison.onlyFirst'),
      say(words, 'evaluation.comparison.onlySecond'),
      say(words, 'evaluation.comparison.neither'),
    ],
    [row(labels.positive, calls.positive), row(labels.negative, calls.negative)],
  );
}

/** Lines for signatures, to fill in by hand. */
export function signatureSection(protocol: Said, words: Words): Html {
  const blank = html`<span class="blank"></span>`;
  const people = [protocol?.examiner, protocol?.responsible];
  return html`<section class="signatures">
    <h2>${say(words, 'evaluation.signature.heading')}</h2>
    <div class="words form">
      ${table(
        say(words, 'evaluation.signature.text'),
        ['', say(words, 'evaluation.test.examiner'), say(words, 'evaluation.test.responsible')],
        [
          [say(words, 'evaluation.signature.name'), ...people.map((person) => person?.name ?? blank)],
          [say(words, 'evaluation.signature.role'), ...people.map((person) => person?.role ?? blank)],
          [say(words, 'evaluation.signature.place'), blank, blank],
          [say(words, 'evaluation.signature.signature'), blank, blank],
        ],
      )}
    </div>
    <p>${say(words, 'evaluation.signature.decision')}: ${say(words, 'evaluation.signature.choices')}</p>
    <p>${say(words, 'evaluation.signature.conditions')}:</p>
    <p class="blank line"></p>
    <p class="blank line"></p>
  </section>`;
}
