import { readFile } from 'node:fs/promises';
import { isAtOrAbove } from '../finding/operating-point';
import { drawHeatMap, withOutlines } from '../pipeline/draw';
import { pictureToPng } from '../pipeline/picture-png';
import type { Pipeline } from '../pipeline/pipeline';
import { analyseFilmFile, inside } from './run';

/** A film that was called wrongly, for review. */
export interface Mistake {
  readonly file: string;
  readonly positive: boolean;
  readonly probability: number;
}

/** The false negatives with the lowest and the false positives with the highest probability, the worst first. */
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

/** Longest side of a picture in the report (pixels). */
const LONGEST_SIDE = 640;

/**
 * The heat map of a finding as the service draws it, reduced, as PNG; the film is analysed again for it. Null where
 * that is not possible any more.
 */
export async function heatMapPng(
  folder: string,
  file: string,
  finding: string,
  pipeline: Pipeline,
): Promise<Uint8Array | null> {
  const path = inside(folder, file);
  const bytes = path === null ? null : await readFile(path).catch(() => null);
  const found = bytes === null ? null : await analyseFilmFile(bytes, pipeline).catch(() => null);
  if (found?.outcome.outcome !== 'analysed') return null;
  const { explained } = found.outcome;
  const findings = explained.findings.filter((one) => one.finding.label === finding);
  return pictureToPng(withOutlines(drawHeatMap({ ...explained, findings }, pipeline.identity())), LONGEST_SIDE);
}
