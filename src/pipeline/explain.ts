import { leadingIndex } from '../finding/finding';
import { type Component, components, outline } from '../imaging/outline';
import { mapValues, type Plane, resample } from '../imaging/plane';
import type { Polygon } from '../imaging/polygon';
import type { ExplainedFilm, ExplainedFinding, InferredFilm } from './stage';

/** Smaller regions, as a share of the film, are dropped. */
const SMALLEST_REGION = 0.002;

/**
 * Heat maps: Grad-CAM of the positive class (Selvaraju et al. 2017) after ReLU, divided by its maximum. With global
 * average pooling and one dense layer the map follows exactly from activations and weights, and the network returns it.
 */
export function explain(inferred: InferredFilm): ExplainedFilm {
  const { mask } = inferred.lungs;
  const { image } = inferred.preprocessed.decoded;
  const scale = { column: image.columns / mask.columns, row: image.rows / mask.rows };
  const trace = (parts: Component[]): Polygon[] => parts.map((part) => outline(part.mask, scale));
  const lungOutlines = trace(sizeable(mask).slice(0, 2));
  const findings = inferred.findings.map(({ finding, activation }) => {
    const heat = heatMap(activation, mask.rows, mask.columns);
    const hotRegions = trace(sizeable(hottest(heat, mask)));
    // Where nothing speaks for the class there is no hot region, and the lungs stand for it.
    return { finding, heat, hotRegions: hotRegions.length > 0 ? hotRegions : lungOutlines };
  });
  return { inferred, findings, lungOutlines };
}

/** The finding that the picture shows. */
export function leadingExplanation({ findings }: ExplainedFilm): ExplainedFinding {
  return findings[leadingIndex(findings.map(({ finding }) => finding))]!;
}

/** ReLU, divided by its maximum (0..1), at the given size; all zero when nothing speaks for the class. */
function heatMap(activation: Plane, rows: number, columns: number): Plane {
  const positive = mapValues(activation.values, (value) => Math.max(0, value));
  const heat = resample({ ...activation, values: positive }, rows, columns);
  const { values } = heat;
  const max = greatest(values);
  for (let at = 0; at < values.length; at++) values[at] = max > 0 ? values[at]! / max : 0;
  return heat;
}

/** Pixels with at least half of the greatest heat, inside of the lungs. */
function hottest({ rows, columns, values }: Plane, { values: lungs }: Plane): Plane {
  const inside = values.slice();
  for (let at = 0; at < inside.length; at++) if (!(lungs[at]! > 0)) inside[at] = 0;
  const max = greatest(inside);
  for (let at = 0; at < inside.length; at++) inside[at] = max > 0 && inside[at]! >= max / 2 ? 1 : 0;
  return { rows, columns, values: inside };
}

/** The greatest value; 0 where none is above. */
function greatest(values: Float32Array): number {
  let max = 0;
  for (let at = 0; at < values.length; at++) if (values[at]! > max) max = values[at]!;
  return max;
}

function sizeable(mask: Plane): Component[] {
  const found = components(mask);
  const large = found.filter((part) => part.area >= SMALLEST_REGION * mask.values.length);
  return large.length > 0 ? large : found.slice(0, 1);
}
