import { LEAST_PATIENTS } from '../statistics/operating-point';
import { html, type Markup, table } from './markup';
import type { EvaluationReport } from './report';
import { decimal, estimateText, percent, shareText } from './words';

/** One of the worst mistakes, with its heat map where it could be drawn. */
export interface MistakePicture {
  readonly kind: 'missed' | 'false-alarm';
  readonly file: string;
  readonly probability: number;
  readonly png: Uint8Array | null;
}

export function choiceSection({ choice, settings }: EvaluationReport): Markup {
  const { wantedSensitivity, threshold, patients, measured, objections } = choice;
  const halves = table(
    'The two halves',
    ['half', 'patients with the finding', 'patients without'],
    [
      ['threshold chosen on', patients.chosenOn.positive, patients.chosenOn.negative],
      ['measured on', patients.measuredOn.positive, patients.measuredOn.negative],
    ],
  );
  const rows =
    measured === null
      ? []
      : [
          ['sensitivity', shareText(measured.sensitivity)],
          ['specificity', shareText(measured.specificity)],
          ['precision', shareText(measured.precision)],
        ];
  const verdict =
    objections.length > 0
      ? html`<p class="warning">It must not be applied: ${objections.join('; ')}.</p>`
      : html`<p>
          It may be applied with <code>--apply-threshold CONFIG.yaml</code>. The operating point is now
          ${decimal(settings.threshold, 6)}.
        </p>`;
  const reached = measured?.sensitivity.value ?? null;
  const short =
    reached === null || reached >= wantedSensitivity
      ? null
      : html`<p>
          On the half that it has not seen it finds ${percent(reached)}, fewer than wanted. That may be chance, and more
          films may show that it is not.
        </p>`;
  return html`<section>
    <h2>A threshold for a sensitivity of ${percent(wantedSensitivity)}</h2>
    <p>
      Chosen on one half of the patients, measured on the other, which it has not seen. A hash of the patient says which
      half; each half needs ${LEAST_PATIENTS} patients with and ${LEAST_PATIENTS} without the finding.
    </p>
    <p>Threshold: ${decimal(threshold, 6)}.</p>
    ${halves}
    ${rows.length === 0 ? null : table('On the half that it has not seen', ['', 'value (95 % interval)'], rows)}
    ${short} ${verdict}
  </section>`;
}

/** Below this number of films of a class, a row says little. */
const FEW = 10;

export function subgroupSection({ subgroups, settings }: EvaluationReport): Markup {
  const tables = subgroups.map(
    ({ name, rows }) =>
      html`<div class="scroll">
        ${table(
          `By ${name}`,
          [name, 'films', 'with the finding', 'AUC', 'sensitivity', 'specificity'],
          rows.map(({ value, n, positive, auc, sensitivity, specificity }) => [
            Math.min(positive, n - positive) < FEW ? `${value} *` : value,
            n,
            positive,
            estimateText(auc.value, auc.interval, 2),
            shareText(sensitivity),
            shareText(specificity),
          ]),
        )}
      </div>`,
  );
  const introduction =
    tables.length === 0
      ? html`<p>The labels file has no further column, and no header said anything.</p>`
      : html`<p>
          At the operating point, ${decimal(settings.threshold, 4)}. A row with * has fewer than ${FEW} films of a
          class: its area says nothing, and of its shares read the interval. With many rows, some are low by chance.
        </p>`;
  return html`<section>
    <h2>Subgroups</h2>
    ${introduction} ${tables}
  </section>`;
}

/** Names that a cell shows; report.json has all. */
const SHOWN_FILES = 5;
const someOf = (files: readonly string[]) =>
  files.slice(0, SHOWN_FILES).join(', ') +
  (files.length > SHOWN_FILES ? ` and ${files.length - SHOWN_FILES} more` : '');

export function exclusionSection({ excluded, unlabelled, labels, sensitivityWithLeftOut }: EvaluationReport): Markup {
  const films =
    excluded.length === 0
      ? html`<p>No labelled film was left out.</p>`
      : html`<div class="words">
            ${table(
              'Labelled films that were left out',
              ['reason', `"${labels.positive}"`, `"${labels.negative}"`, 'files'],
              excluded.map(({ reason, positive, negative, files }) => [reason, positive, negative, someOf(files)]),
            )}
          </div>
          <p>
            No figure above counts these films. Where those with the finding that Hilum saw and did not analyse count as
            missed, the sensitivity at the operating point is ${shareText(sensitivityWithLeftOut)}.
          </p>
          <p class="faint">docs/events.md says what each reason means; report.json names every file.</p>`;
  const rows =
    labels.problems.length === 0
      ? null
      : table(
          'Rows of the labels file that could not be used',
          ['line', 'problem'],
          labels.problems.slice(0, 100).map(({ line, text }) => [line, text]),
        );
  const more =
    labels.problems.length > 100 ? html`<p>${labels.problems.length - 100} more rows in report.json.</p>` : null;
  const unknown =
    unlabelled.length === 0
      ? null
      : html`<p>
          ${unlabelled.length} files in the folder of films have no row in the labels file and were not looked at:
          ${someOf(unlabelled)}. Films must not be left unlabelled because they are hard.
        </p>`;
  return html`<section>
    <h2>Left out</h2>
    ${films}${unknown}${rows === null ? null : html`<div class="words">${rows}</div>`}${more}
  </section>`;
}

export function mistakesSection({ settings }: EvaluationReport, mistakes: readonly MistakePicture[]): Markup {
  const of = (wanted: MistakePicture['kind']) => mistakes.filter(({ kind }) => kind === wanted);
  return html`<section>
    <h2>Worst mistakes</h2>
    <p>At the operating point, ${decimal(settings.threshold, 4)}, the worst first.</p>
    ${pictures('Missed: with the finding, lowest probability', of('missed'))}
    ${pictures('False alarms: without the finding, highest probability', of('false-alarm'))}
  </section>`;
}

function pictures(heading: string, mistakes: readonly MistakePicture[]): Markup {
  if (mistakes.length === 0)
    return html`<h3>${heading}</h3>
      <p>None.</p>`;
  return html`<h3>${heading}</h3>
    ${mistakes.map(({ file, probability, png }) => {
      const alt = `Heat map of ${file}, probability ${percent(probability)}`;
      const image =
        png === null
          ? html`<p>The film could not be read again.</p>`
          : html`<img alt="${alt}" src="data:image/png;base64,${Buffer.from(png).toString('base64')}" />`;
      return html`<figure>
        ${image}
        <figcaption>${file}: ${percent(probability)}</figcaption>
      </figure>`;
    })}`;
}
