import { html, type Html } from '../base/html';
import { figure, say, type Words } from '../language/say';
import type { Calibration, CurvePoint } from '../statistics/curves';

type Point = readonly [x: number, y: number];

const SIZE = 320;
const MARGIN = { left: 52, right: 14, top: 14, bottom: 46 };
const WIDTH = MARGIN.left + SIZE + MARGIN.right;
const HEIGHT = MARGIN.top + SIZE + MARGIN.bottom;
const TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1];

interface Plot {
  readonly id: string;
  readonly title: string;
  /** Text alternative for readers who can't see the plot. */
  readonly description: string;
  readonly x: string;
  readonly y: string;
  readonly content: readonly (Html | null)[];
  readonly words: Words;
}

/** Annotations of a curve. */
interface Beside {
  /** Position of the operating point. */
  readonly mark: Point | null;
  readonly description: string;
  readonly words: Words;
}

const placeX = (x: number) => (MARGIN.left + x * SIZE).toFixed(1);
const placeY = (y: number) => (MARGIN.top + (1 - y) * SIZE).toFixed(1);
const path = (points: readonly Point[]) =>
  points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${placeX(x)} ${placeY(y)}`).join('');

/** Frame of a plot: a unit square, both axes from 0 to 1. Colours are in the page's style sheet, for light and dark. */
function plot({ id, title, description, x, y, content, words }: Plot): Html {
  const written = (tick: number) => figure(words, String(tick));
  const grid = TICKS.map(
    (tick) =>
      html`<path
          class="grid"
          d="M${placeX(tick)} ${placeY(0)}V${placeY(1)}M${placeX(0)} ${placeY(tick)}H${placeX(1)}"
        />
        <text x="${placeX(tick)}" y="${MARGIN.top + SIZE + 18}" text-anchor="middle">${written(tick)}</text
        ><text x="${MARGIN.left - 8}" y="${placeY(tick)}" dy="4" text-anchor="end">${written(tick)}</text>`,
  );
  const names = html`<text x="${placeX(0.5)}" y="${HEIGHT - 8}" text-anchor="middle">${x}</text
    ><text transform="translate(14 ${placeY(0.5)}) rotate(-90)" text-anchor="middle">${y}</text>`;
  return html`<svg id="${id}" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="${id}-title ${id}-text">
    <title id="${id}-title">${title}</title>
    <desc id="${id}-text">${description}</desc>
    ${grid}${names}${content}
  </svg>`;
}

const line = (points: readonly Point[], kind: string) => html`<path class="${kind}" d="${path(points)}" />`;
const dot = ([x, y]: Point, kind = 'dot') => html`<circle class="${kind}" cx="${placeX(x)}" cy="${placeY(y)}" r="5" />`;

/** Receiver operating characteristic. */
export function rocPlot(curve: readonly CurvePoint[], { mark, description, words }: Beside): Html {
  const points: Point[] = [
    [0, 0],
    ...curve.map(({ falsePositiveRate, sensitivity }): Point => [falsePositiveRate, sensitivity]),
  ];
  const content = [
    line(
      [
        [0, 0],
        [1, 1],
      ],
      'chance',
    ),
    line(points, 'curve'),
    mark && dot(mark),
  ];
  return plot({
    id: 'roc',
    title: say(words, 'evaluation.curves.roc'),
    description,
    x: say(words, 'evaluation.curves.oneMinusSpecificity'),
    y: say(words, 'evaluation.figures.sensitivity'),
    content,
    words,
  });
}

/**
 * Precision and recall, as steps, because no values exist between two thresholds. The dashed line is random guessing.
 */
export function precisionRecallPlot(
  curve: readonly CurvePoint[],
  prevalence: number,
  { mark, description, words }: Beside,
): Html {
  const points = curve.flatMap(({ sensitivity, precision }, i): Point[] => [
    [i === 0 ? 0 : curve[i - 1]!.sensitivity, precision],
    [sensitivity, precision],
  ]);
  const content = [
    line(
      [
        [0, prevalence],
        [1, prevalence],
      ],
      'chance',
    ),
    line(points, 'curve'),
    mark && dot(mark),
  ];
  return plot({
    id: 'precision-recall',
    title: say(words, 'evaluation.curves.precisionRecall'),
    description,
    x: say(words, 'evaluation.curves.recallAxis'),
    y: say(words, 'evaluation.figures.precision'),
    content,
    words,
  });
}

/**
 * Observed share over mean probability, with 95 % intervals; a perfectly calibrated model's points are on the dashed
 * line.
 */
export function calibrationPlot({ bins }: Calibration, description: string, words: Words): Html {
  const filled = bins.flatMap(({ predicted, observed }) =>
    predicted === null || observed.value === null || observed.interval === null
      ? []
      : [{ x: predicted, y: observed.value, interval: observed.interval }],
  );
  const bars = filled.map(({ x, interval: [low, high] }) =>
    line(
      [
        [x, low],
        [x, high],
      ],
      'bar',
    ),
  );
  const content = [
    line(
      [
        [0, 0],
        [1, 1],
      ],
      'chance',
    ),
    ...bars,
    line(
      filled.map(({ x, y }): Point => [x, y]),
      'curve',
    ),
    ...filled.map(({ x, y }) => dot([x, y])),
  ];
  return plot({
    id: 'calibration',
    title: say(words, 'evaluation.calibration.heading'),
    description,
    x: say(words, 'evaluation.calibration.mean'),
    y: say(words, 'evaluation.calibration.share'),
    content,
    words,
  });
}

interface HistogramBars {
  readonly from: number;
  readonly to: number;
  /** Number of films above and below the line. */
  readonly up: number;
  readonly down: number;
}

interface HistogramParts extends Pick<Plot, 'id' | 'title' | 'description' | 'words'> {
  /** Position of the operating point; null for none. */
  readonly mark: number | null;
}

/** Histogram of probabilities, one class above and one below the line, so that they are told apart without colour. */
export function histogramPlot(
  bins: readonly HistogramBars[],
  { id, title, description, mark, words }: HistogramParts,
): Html {
  const [up, down] = [Math.max(0, ...bins.map((bin) => bin.up)), Math.max(0, ...bins.map((bin) => bin.down))];
  const unit = SIZE / Math.max(1, up + down);
  const line0 = MARGIN.top + up * unit;
  const bars = bins.map(({ from, to, up: above, down: below }) => {
    const [x, width] = [placeX(from), ((to - from) * SIZE - 1).toFixed(1)];
    const bar = (kind: string, y: number, films: number) =>
      films === 0
        ? null
        : html`<rect
            class="${kind}"
            x="${x}"
            y="${y.toFixed(1)}"
            width="${width}"
            height="${(films * unit).toFixed(1)}"
          />`;
    return html`${bar('above', line0 - above * unit, above)}${bar('below', line0, below)}`;
  });
  const count = (films: number, y: number) =>
    html`<text x="${MARGIN.left - 8}" y="${y.toFixed(1)}" dy="4" text-anchor="end">${films}</text>`;
  const ticks = TICKS.map(
    (tick) =>
      html`<text x="${placeX(tick)}" y="${MARGIN.top + SIZE + 18}" text-anchor="middle"
        >${figure(words, String(tick))}</text
      >`,
  );
  const axes = html`<path
      class="grid"
      d="M${placeX(0)} ${line0.toFixed(1)}H${placeX(1)}M${placeX(0)} ${placeY(0)}V${placeY(1)}"
    />
    ${ticks}${count(0, line0)}${up > 0 ? count(up, MARGIN.top) : null}
    ${down > 0 ? count(down, MARGIN.top + SIZE) : null}`;
  return html`<svg id="${id}" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="${id}-title ${id}-text">
    <title id="${id}-title">${title}</title>
    <desc id="${id}-text">${description}</desc>
    ${axes}${bars}
    ${mark === null ? null : html`<path class="chance" d="M${placeX(mark)} ${placeY(0)}V${placeY(1)}" />`}
    <text x="${placeX(0.5)}" y="${HEIGHT - 8}" text-anchor="middle">
      ${say(words, 'evaluation.calibration.probability')}
    </text>
    <text transform="translate(14 ${placeY(0.5)}) rotate(-90)" text-anchor="middle">
      ${say(words, 'evaluation.films')}
    </text>
  </svg>`;
}
