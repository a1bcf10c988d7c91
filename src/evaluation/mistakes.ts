import { createCanvas } from '@napi-rs/canvas';
import { isAtOrAbove } from '../finding/operating-point';
import type { Picture } from '../objects/secondary-capture';
import { drawHeatMap, withOutlines } from '../pipeline/draw';
import type { Line } from '../pipeline/pipeline';
import { analyseFile, inside } from './run';

/** A film that was called wrongly, for a person to look at. */
export interface Mistake {
  readonly file: string;
  readonly positive: boolean;
  readonly probability: number;
}

/**
 * The positives with the least and the negatives with the greatest probability among those that are on the wrong side
 * of the threshold, the worst first.
 */
export function worstMistakes<T extends Mistake>(
  films: readonly T[],
  threshold: number,
  most: number,
): { readonly missed: T[]; readonly falseAlarms: T[] } {
  const wrong = films.filter(({ positive, probability }) => positive !== isAtOrAbove(probability, threshold));
  const byProbability = (a: T, b: T) => a.probability - b.probability || (a.file < b.file ? -1 : 1);
  return {
    missed: wrong
      .filter(({ positive }) => positive)
      .sort(byProbability)
      .slice(0, most),
    falseAlarms: wrong
      .filter(({ positive }) => !positive)
      .sort((a, b) => byProbability(b, a))
      .slice(0, most),
  };
}

/** Longest side of a picture in the report, in pixels. */
const LONGEST_SIDE = 640;

/**
 * The heat map of a finding as the service draws it, smaller, as a PNG; the film is analysed once more for it. Null
 * where it can't be had any more.
 */
export async function heatMapPng(
  folder: string,
  file: string,
  finding: string,
  line: Line,
): Promise<Uint8Array | null> {
  const path = inside(folder, file);
  const found = path === null ? null : await analyseFile(path, line).catch(() => null);
  if (found?.outcome.outcome !== 'analysed') return null;
  const { explained } = found.outcome;
  const findings = explained.findings.filter((one) => one.finding.label === finding);
  return toPng(withOutlines(drawHeatMap({ ...explained, findings }, line.identity())));
}

function toPng({ rows, columns, rgb }: Picture): Uint8Array {
  const large = createCanvas(columns, rows);
  const image = large.getContext('2d').createImageData(columns, rows);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4)
    image.data.set([rgb[from]!, rgb[from + 1]!, rgb[from + 2]!, 255], to);
  large.getContext('2d').putImageData(image, 0, 0);
  const scale = Math.min(1, LONGEST_SIDE / Math.max(rows, columns));
  const small = createCanvas(Math.round(columns * scale), Math.round(rows * scale));
  const pen = small.getContext('2d');
  pen.imageSmoothingQuality = 'high';
  pen.drawImage(large, 0, 0, small.width, small.height);
  return small.toBuffer('image/png');
}
