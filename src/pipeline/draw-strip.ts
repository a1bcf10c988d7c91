import { GlobalFonts, type SKRSContext2D } from '@napi-rs/canvas';
import type { Attributes } from '../dicom/attributes';
import { refuse } from '../dicom/sanitise';
import type { Finding } from '../events/finding';
import { IN_SHADOW, percentagesOf, relationOf, RESEARCH_USE } from '../finding/wording';
import { blend } from '../imaging/colour-map';
import { type AnalysisIdentity, classifierOf, findingNamed, localMoment } from '../objects/analysis';
import { CAPTION_LINES, stripLayout } from './picture-frame';

export const STYLE = {
  /** Red, green, blue. */
  background: [0x0d, 0x11, 0x17],
  ink: '#e6e9ee',
  faintInk: '#aeb8c4',
  warningInk: '#ffb454',
} as const;

/** Colours as red, green, blue. */
export const OUTLINE_COLOURS = { lungs: [0x6f, 0xd0, 0xff], activation: [0xff, 0xff, 0xff] } as const;

const FONT = 'Hilum DejaVu';

export interface CaptionLine {
  readonly text: string;
  readonly style: 'warning' | 'result' | 'plain';
}

/** Text that is burned in, top to bottom: four lines, none about the patient. */
export function captionLines(finding: Finding, identity: AnalysisIdentity, source: Attributes): CaptionLine[] {
  const { id, version } = classifierOf(identity, findingNamed(identity, finding.label));
  const { date, time } = localMoment(identity.startedAt, source);
  const when = `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)} ${time.slice(0, 2)}:${time.slice(2, 4)}`;
  const [result, relation] =
    finding.mode === 'shadow'
      ? ['no result', IN_SHADOW]
      : [`probability ${percentagesOf(finding).probability} %`, relationOf(finding)];
  return [
    { text: RESEARCH_USE.burnedIn, style: 'warning' },
    { text: `${finding.label}: ${result}`, style: 'result' },
    { text: relation, style: 'plain' },
    { text: `${id} ${version}  ·  ${identity.device.name} ${identity.softwareVersion}  ·  ${when}`, style: 'plain' },
  ];
}

/** Draws the strip of a picture of this width (pixels). */
export function drawStrip(pen: SKRSContext2D, width: number, caption: readonly CaptionLine[]): void {
  const { line, margin, beside } = stripLayout(width);
  const captionWidth = beside ? Math.round(width * 0.6) - 2 * margin : width - 2 * margin;
  caption.forEach(({ text, style }, i) =>
    drawLine(pen, text, style, { left: margin, middle: margin + (i + 0.5) * line, width: captionWidth, line }),
  );
  const key = beside
    ? { left: Math.round(width * 0.6) + margin, top: margin }
    : { left: margin, top: 2 * margin + CAPTION_LINES * line };
  drawKey(pen, { ...key, width: width - key.left - margin, line });
}

interface LineBox {
  readonly left: number;
  readonly middle: number;
  readonly width: number;
  readonly line: number;
}

/** Draws one line, in a smaller font where it would exceed its box. */
function drawLine(
  pen: SKRSContext2D,
  text: string,
  style: CaptionLine['style'],
  { left, middle, width, line }: LineBox,
): void {
  pen.fillStyle = { warning: STYLE.warningInk, result: STYLE.ink, plain: STYLE.faintInk }[style];
  pen.textBaseline = 'middle';
  pen.textAlign = 'left';
  const weight = style === 'plain' ? '' : 'bold ';
  let size = Math.round(line * (style === 'result' ? 0.82 : 0.72));
  do pen.font = `${weight}${size}px "${FONT}"`;
  while (pen.measureText(text).width > width && --size > 8);
  pen.fillText(text, left, middle);
}

/** Draws the legend of outlines and colours. */
function drawKey(pen: SKRSContext2D, box: { left: number; top: number; width: number; line: number }): void {
  const { left, top, width, line } = box;
  const middleOf = (row: number) => top + (row + 0.5) * line;
  drawLine(pen, 'overlays: lungs, hottest region', 'plain', { left, middle: middleOf(0), width, line });
  drawLine(pen, 'class activation, share of its maximum', 'plain', { left, middle: middleOf(1), width, line });
  drawBar(pen, { left, top: top + 2 * line + line * 0.1, width, height: line * 0.8 });
  drawScale(pen, { left, middle: middleOf(3), width, line });
}

/** Draws the colour scale as it looks on a mid-grey film. */
function drawBar(
  pen: SKRSContext2D,
  { left, top, width, height }: { left: number; top: number; width: number; height: number },
): void {
  const columns = Math.floor(width);
  for (let column = 0; column < columns; column++) {
    pen.fillStyle = `rgb(${blend(0.5, column / (columns - 1)).join(', ')})`;
    pen.fillRect(left + column, top, 1, height);
  }
}

function drawScale(pen: SKRSContext2D, { left, middle, width, line }: LineBox): void {
  pen.fillStyle = STYLE.faintInk;
  pen.font = `${Math.round(line * 0.66)}px "${FONT}"`;
  pen.textBaseline = 'middle';
  for (const [text, share, align] of [
    ['0', 0, 'left'],
    ['0.5', 0.5, 'center'],
    ['1', 1, 'right'],
  ] as const) {
    pen.textAlign = align;
    pen.fillText(text, left + Math.floor(width) * share, middle);
  }
}

/**
 * Loads the font that is shipped with Hilum: fonts differ between systems, and containers may have none.
 * @throws HilumError ENCODE_FAILED: a picture without its text must not be stored
 */
export function registerFont(): void {
  if (GlobalFonts.has(FONT)) return;
  for (const file of ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf']) {
    if (GlobalFonts.registerFromPath(require.resolve(`dejavu-fonts-ttf/ttf/${file}`), FONT) === null)
      refuse(`the font ${file} cannot be loaded`);
  }
}
