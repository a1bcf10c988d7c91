import type { Size } from '../imaging/plane';

/** Longest side of the heat map's picture, strip included (pixels). */
export const LONGEST_SIDE = 1024;
/** Smaller films are enlarged, so that lines and text can be read. */
const SMALLEST_FILM = 512;
/** Smallest width, as the text needs room. */
const NARROWEST_PICTURE = 512;

export interface Frame {
  /** Size of the whole picture (pixels). */
  readonly width: number;
  readonly height: number;
  /** Position of the film: at the top, in the middle where the picture is wider. */
  readonly film: { readonly left: number; readonly width: number; readonly height: number };
}

/**
 * The largest film that leaves room for the strip within the longest side; found by trial, as the strip's height
 * depends on the width. Height and width of the film are given in any common unit.
 */
export function frameFor(tall: number, wide: number): Frame {
  const longest = Math.max(tall, wide);
  for (let side = Math.min(LONGEST_SIDE, Math.max(Math.round(longest), SMALLEST_FILM)); ; side--) {
    const [filmWidth, filmHeight] = [wide, tall].map((size) => Math.max(1, Math.round((size * side) / longest))) as [
      number,
      number,
    ];
    const width = Math.max(filmWidth, NARROWEST_PICTURE);
    const height = filmHeight + stripHeight(width);
    if (height <= LONGEST_SIDE)
      return {
        width,
        height,
        film: { left: Math.floor((width - filmWidth) / 2), width: filmWidth, height: filmHeight },
      };
  }
}

/** Layout of the strip below the film. */
export interface StripLayout {
  /** Height of a line of text (pixels). */
  readonly line: number;
  readonly margin: number;
  /** Whether the legend is beside the caption (wide pictures) or below it. */
  readonly beside: boolean;
}

export const CAPTION_LINES = 4;
const KEY_LINES = 4;

export function stripLayout(width: number): StripLayout {
  const line = Math.round(Math.min(26, Math.max(20, width / 36)));
  return { line, margin: Math.round(line * 0.6), beside: width >= 800 };
}

/** Height of the strip below a picture of this width (pixels). */
export function stripHeight(width: number): number {
  const { line, margin, beside } = stripLayout(width);
  return (
    2 * margin +
    (beside ? Math.max(CAPTION_LINES, KEY_LINES) : CAPTION_LINES + KEY_LINES) * line +
    (beside ? 0 : margin)
  );
}

/** Size of a picture with at most this longest side; never larger than the film. */
export function fitted({ tall, wide }: { tall: number; wide: number }, longest: number): Size {
  const scale = Math.min(1, longest / Math.max(tall, wide));
  return { rows: Math.max(1, Math.round(tall * scale)), columns: Math.max(1, Math.round(wide * scale)) };
}
