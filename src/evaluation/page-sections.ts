import { html, type Html } from '../base/html';
import { say, sayIt, type Words } from '../language/say';
import { translated } from '../language/words';
import { MIN_PATIENTS } from '../statistics/operating-point';
import { NOT_SAID, OTHERS, type Subgroup } from '../statistics/subgroups';
import type { EvaluationReport } from './report';
import { table } from './table';
import { figuresIn } from './words';

/** One of the worst mistakes, with its heat map where it could be drawn. */
export interface MistakePicture {
  readonly kind: 'missed' | 'false-alarm';
  readonly file: string;
  readonly probability: number;
  readonly png: Uint8Array | null;
}

export function choiceSection({ choice, settings }: EvaluationReport, words: Words): Html {
  const { wantedSensitivity, threshold, patients, measured, objections } = choice;
  const { percent, decimal, share } = figuresIn(words);
  const halves = table(
    say(words, 'evaluation.choice.halves'),
    [
      say(words, 'evaluation.choice.half'),
      say(words, 'evaluation.choice.patientsWith'),
      say(words, 'evaluation.choice.patientsWithout'),
    ],
    [
      [say(words, 'evaluation.choice.chosenOn'), patients.chosenOn.positive, patients.chosenOn.negative],
      [say(words, 'evaluation.choice.measuredOn'), patients.measuredOn.positive, patients.measuredOn.negative],
    ],
  );
  const rows =
    measured === null
      ? []
      : [
          [say(words, 'evaluation.figures.sensitivity'), share(measured.sensitivity)],
          [say(words, 'evaluation.figures.specificity'), share(measured.specificity)],
          [say(words, 'evaluation.figures.precision'), share(measured.precision)],
        ];
  const told = objections.map((objection) => translated(words, objection)).join('; ');
  const verdict =
    objections.length > 0
      ? html`<p class="warning">${say(words, 'evaluation.choice.notApplied', { objections: told })}</p>`
      : html`<p>${say(words, 'evaluation.choice.mayBeApplied', { point: decimal(settings.threshold, 6) })}</p>`;
  const reached = measured?.sensitivity.value ?? null;
  const short =
    reached === null || reached >= wantedSensitivity
      ? null
      : html`<p>${say(words, 'evaluation.choice.short', { reached: percent(reached) })}</p>`;
  return html`<section>
    <h2>${say(words, 'evaluation.choice.heading', { sensitivity: percent(wantedSensitivity) })}</h2>
    <p>${say(words, 'evaluation.choice.text', { least: MIN_PATIENTS })}</p>
    <p>${say(words, 'evaluation.choice.threshold', { threshold: decimal(threshold, 6) })}</p>
    ${halves}
    ${
      rows.length === 0
        ? null
        : table(say(words, 'evaluation.choice.unseen'), ['', say(words, 'evaluation.figures.value')], rows)
    }
    ${short} ${verdict}
  </section>`;
}

/** With fewer films of a class, a row is marked as unreliable. */
const FEW = 10;

export function subgroupSection({ subgroups, settings }: EvaluationReport, words: Words): Html {
  const { decimal } = figuresIn(words);
  const introduction =
    subgroups.length === 0
      ? html`<p>${say(words, 'evaluation.subgroups.none')}</p>`
      : html`<p>${say(words, 'evaluation.subgroups.text', { point: decimal(settings.threshold, 4), few: FEW })}</p>`;
  return html`<section>
    <h2>${say(words, 'evaluation.subgroups.heading')}</h2>
    ${introduction} ${subgroups.map((subgroup) => subgroupTable(subgroup, words))}
  </section>`;
}

function subgroupTable({ name, rows }: Subgroup, words: Words): Html {
  const { share, estimate } = figuresIn(words);
  // A column of the labels file is headed by its own name.
  const title = sayIt(words, { key: `evaluation.group.${name}`, values: {} }) ?? name;
  return html`<div class="scroll">
    ${table(
      say(words, 'evaluation.subgroups.by', { name: title }),
      [
        title,
        say(words, 'evaluation.films'),
        say(words, 'evaluation.subgroups.withFinding'),
        say(words, 'evaluation.subgroups.auc'),
        say(words, 'evaluation.figures.sensitivity'),
        say(words, 'evaluation.figures.specificity'),
      ],
      rows.map(({ value, n, positive, auc, sensitivity, specificity }) => [
        `${groupWords(value, words)}${Math.min(positive, n - positive) < FEW ? ' *' : ''}`,
        n,
        positive,
        estimate(auc.value, auc.interval, 2),
        share(sensitivity),
        share(specificity),
      ]),
    )}
  </div>`;
}

function groupWords(value: string, words: Words): string {
  if (value === NOT_SAID) return say(words, 'evaluation.subgroups.notSaid');
  if (value === OTHERS) return say(words, 'evaluation.subgroups.others');
  const years = /^(\d+) and over$/.exec(value)?.[1];
  return years === undefined ? value : say(words, 'evaluation.subgroups.eldest', { years });
}

/** Number of file names in a cell; report.json has all. */
const SHOWN_FILES = 5;

function someOf(files: readonly string[], words: Words): string {
  const shown = files.slice(0, SHOWN_FILES).join(', ');
  return files.length > SHOWN_FILES
    ? say(words, 'evaluation.leftOut.more', { files: shown, more: files.length - SHOWN_FILES })
    : shown;
}

/** Number of rows of the labels file that the page lists. */
const SHOWN_PROBLEMS = 100;

export function exclusionSection(report: EvaluationReport, words: Words): Html {
  const { excluded, unlabelled, labels, sensitivityWithLeftOut } = report;
  const films =
    excluded.length === 0
      ? html`<p>${say(words, 'evaluation.leftOut.none')}</p>`
      : html`<div class="words">${excludedTable(report, words)}</div>
          <p>${say(words, 'evaluation.leftOut.text', { share: figuresIn(words).share(sensitivityWithLeftOut) })}</p>
          <p class="faint">${say(words, 'evaluation.leftOut.where')}</p>`;
  const rows =
    labels.problems.length === 0
      ? null
      : table(
          say(words, 'evaluation.leftOut.rows'),
          [say(words, 'evaluation.leftOut.line'), say(words, 'evaluation.leftOut.problem')],
          labels.problems.slice(0, SHOWN_PROBLEMS).map(({ line, text }) => [line, translated(words, text)]),
        );
  const beyond = labels.problems.length - SHOWN_PROBLEMS;
  const more = beyond > 0 ? html`<p>${say(words, 'evaluation.leftOut.moreRows', { count: beyond })}</p>` : null;
  const unknown =
    unlabelled.length === 0
      ? null
      : html`<p>
          ${say(words, 'evaluation.leftOut.unlabelled', {
            count: unlabelled.length,
            files: someOf(unlabelled, words),
          })}
        </p>`;
  return html`<section>
    <h2>${say(words, 'evaluation.leftOut.heading')}</h2>
    ${films}${unknown}${rows === null ? null : html`<div class="words">${rows}</div>`}${more}
  </section>`;
}

function excludedTable({ excluded, labels }: EvaluationReport, words: Words): Html {
  return table(
    say(words, 'evaluation.leftOut.caption'),
    [
      say(words, 'evaluation.leftOut.reason'),
      `"${labels.positive}"`,
      `"${labels.negative}"`,
      say(words, 'evaluation.leftOut.files'),
    ],
    // A reason of the pipeline is shown as its code, as in report.json and docs/events.md.
    excluded.map(({ reason, positive, negative, files }) => [
      translated(words, reason),
      positive,
      negative,
      someOf(files, words),
    ]),
  );
}

export function mistakesSection(
  { settings }: EvaluationReport,
  mistakes: readonly MistakePicture[],
  words: Words,
): Html {
  const of = (wanted: MistakePicture['kind']) => mistakes.filter(({ kind }) => kind === wanted);
  const point = figuresIn(words).decimal(settings.threshold, 4);
  return html`<section>
    <h2>${say(words, 'evaluation.mistakes.heading')}</h2>
    <p>${say(words, 'evaluation.mistakes.text', { point })}</p>
    ${pictures(say(words, 'evaluation.mistakes.missed'), of('missed'), words)}
    ${pictures(say(words, 'evaluation.mistakes.falseAlarms'), of('false-alarm'), words)}
  </section>`;
}

function pictures(heading: string, mistakes: readonly MistakePicture[], words: Words): Html {
  if (mistakes.length === 0)
    return html`<h3>${heading}</h3>
      <p>${say(words, 'evaluation.mistakes.none')}</p>`;
  return html`<h3>${heading}</h3>
    ${mistakes.map(({ file, probability, png }) => {
      const share = figuresIn(words).percent(probability);
      const alt = say(words, 'evaluation.mistakes.alt', { file, probability: share });
      const image =
        png === null
          ? html`<p>${say(words, 'evaluation.mistakes.unreadable')}</p>`
          : html`<img alt="${alt}" src="data:image/png;base64,${Buffer.from(png).toString('base64')}" />`;
      return html`<figure>
        ${image}
        <figcaption>${file}: ${share}</figcaption>
      </figure>`;
    })}`;
}
