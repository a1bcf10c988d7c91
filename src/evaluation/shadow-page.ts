import { html, type Html } from '../base/html';
import { say, type Words } from '../language/say';
import { signatureSection, testSection } from './acceptance-sections';
import { histogramPlot } from './plots';
import type { ShadowReport } from './shadow-summary';
import { table } from './table';
import { wholePage } from './whole-page';
import { figuresIn } from './words';

/** The summary of shadow mode as a page, in the form of an evaluation report without labels. */
export function shadowPage(report: ShadowReport, words: Words): string {
  const content = html`${summarySection(report, words)} ${testSection(report.protocol, words)}
  ${outcomesSection(report, words)} ${findingsSection(report, words)} ${agreementSection(report, words)}
  ${daysSection(report, words)} ${driftSection(report, words)} ${signatureSection(report.protocol, words)}`;
  const footer = [report.protocol?.site, `Hilum ${report.softwareVersion}`, `${minute(report.madeAt)} UTC`];
  const parts = { title: say(words, 'shadow.title'), footer: footer.filter(Boolean).join(', '), content };
  return wholePage(parts, words);
}

const minute = (iso: string | null) => (iso === null ? '-' : iso.slice(0, 16).replace('T', ' '));

function summarySection({ films, studies, from, to, madeAt }: ShadowReport, words: Words): Html {
  return html`<header>
    <h1>${say(words, 'shadow.heading')}</h1>
    <p class="warning">${say(words, 'research.sentence')}</p>
    <p>${say(words, 'shadow.summary', { films, studies, from: minute(from), to: minute(to), at: minute(madeAt) })}</p>
    <p>${say(words, 'shadow.noTruth')}</p>
  </header>`;
}

function outcomesSection({ outcomes, urgent }: ShadowReport, words: Words): Html {
  const { share } = figuresIn(words);
  return html`<section>
    <h2>${say(words, 'shadow.outcomes')}</h2>
    <div class="words">
      ${table(
        say(words, 'evaluation.leftOut.where'),
        [say(words, 'shadow.outcome'), say(words, 'evaluation.leftOut.reason'), say(words, 'shadow.share')],
        outcomes.map(({ outcome, reason, films }) => [outcome, reason ?? '', share(films)]),
      )}
    </div>
    <p>${say(words, 'shadow.urgent', { share: share(urgent) })}</p>
  </section>`;
}

function findingsSection({ findings }: ShadowReport, words: Words): Html {
  const { share, decimal } = figuresIn(words);
  return html`<section>
    <h2>${say(words, 'shadow.findings')}</h2>
    ${table(
      say(words, 'evaluation.criterion.flagged'),
      [say(words, 'shadow.finding'), say(words, 'shadow.mode'), say(words, 'shadow.point'), say(words, 'shadow.share')],
      findings.map(({ label, mode, operatingPoint, flagged }) => [
        label,
        mode,
        decimal(operatingPoint, 4),
        share(flagged),
      ]),
    )}
    ${findings.map((finding, i) => histogramPart(finding, i, words))}
  </section>`;
}

function histogramPart(
  { label, histogram, operatingPoint }: ShadowReport['findings'][number],
  at: number,
  words: Words,
): Html {
  const { decimal } = figuresIn(words);
  const title = say(words, 'shadow.histogram', { finding: label });
  const films = histogram.reduce((sum, bin) => sum + bin.films, 0);
  const description = say(words, 'shadow.histogramDescription', { films });
  const bars = histogram.map((bin) => ({ from: bin.from, to: bin.to, up: bin.films, down: 0 }));
  return html`<h3>${title}</h3>
    <p>${say(words, 'shadow.histogramText')}</p>
    <div class="plot">
      ${histogramPlot(bars, { id: `histogram-${at + 1}`, title, description, mark: operatingPoint, words })}
      ${table(
        say(words, 'evaluation.histogram.caption'),
        [say(words, 'evaluation.calibration.probability'), say(words, 'evaluation.films')],
        histogram
          .filter((bin) => bin.films > 0)
          .map((bin) => [
            say(words, 'evaluation.range', { low: decimal(bin.from, 2), high: decimal(bin.to, 2) }),
            bin.films,
          ]),
      )}
    </div>`;
}

/** Null where nothing is compared. */
function agreementSection({ agreement }: ShadowReport, words: Words): Html | null {
  if (agreement === null) return null;
  const { share, decimal } = figuresIn(words);
  const part = ({ label, films, same, kappa, calls }: (typeof agreement.findings)[number]) =>
    html`<p>
        ${say(words, 'shadow.agreementText', { finding: label, films, share: share(same), kappa: decimal(kappa) })}
      </p>
      ${table(
        say(words, 'evaluation.comparison.calls'),
        [
          say(words, 'shadow.finding'),
          say(words, 'evaluation.comparison.both'),
          say(words, 'evaluation.comparison.onlyFirst'),
          say(words, 'evaluation.comparison.onlySecond'),
          say(words, 'evaluation.comparison.neither'),
        ],
        [[label, calls.both, calls.first, calls.second, calls.neither]],
      )}`;
  return html`<section>
    <h2>${say(words, 'shadow.agreement', { name: agreement.name })}</h2>
    ${
      agreement.findings.length === 0
        ? html`<p>${say(words, 'shadow.agreementNone')}</p>`
        : agreement.findings.map(part)
    }
  </section>`;
}

function daysSection({ days }: ShadowReport, words: Words): Html {
  return html`<section>
    <h2>${say(words, 'shadow.days')}</h2>
    <div class="scroll">
      ${table(
        say(words, 'evaluation.films'),
        [
          say(words, 'shadow.day'),
          say(words, 'evaluation.films'),
          say(words, 'shadow.analysed'),
          say(words, 'shadow.urgentFilms'),
        ],
        days.map(({ day, films, analysed, urgent }) => [day, films, analysed, urgent]),
      )}
    </div>
  </section>`;
}

/** Null where the classifier has no reference or no film was counted. */
function driftSection({ drift }: ShadowReport, words: Words): Html | null {
  if (drift === null) return null;
  const { decimal } = figuresIn(words);
  const finite = (value: number | null) => decimal(value !== null && Number.isFinite(value) ? value : null);
  return html`<section>
    <h2>${say(words, 'shadow.drift')}</h2>
    ${table(
      say(words, 'operation.drift'),
      [
        say(words, 'operation.drift.measure'),
        say(words, 'operation.drift.films'),
        say(words, 'operation.drift.index'),
        say(words, 'operation.drift.chance'),
        say(words, 'operation.drift.level'),
      ],
      drift.map(({ measure, films, index, chance, level }) => [measure, films, finite(index), finite(chance), level]),
    )}
  </section>`;
}
