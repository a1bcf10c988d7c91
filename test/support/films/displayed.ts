import type { Attributes } from '../../../src/dicom/attributes';
import type { DisplayedFilm, TabledPicture } from '../../../src/dicom/pixels';
import type { Plane } from '../../../src/imaging/plane';
import { reduce, type ReducedFilm } from '../../../src/pipeline/reduce';

/** A film of these display values, as the decoder has it; more than 65536 different ones are rounded. */
function displayed({ rows, columns, values: given }: Plane): DisplayedFilm {
  const isFine = new Set(given).size > 0x10000;
  const values = isFine ? given.map((value) => Math.round(value * 0x4000) / 0x4000) : given;
  const levels = [...new Set(values)].sort((a, b) => a - b);
  const places = new Map(levels.map((value, place) => [value, place]));
  const stored = Uint16Array.from(values, (value) => places.get(value)!);
  const counts = levels.map(() => 0);
  for (const place of stored) counts[place]!++;
  const tabled = (mapping: (value: number) => number): TabledPicture => {
    const table = new Float32Array(0x10000);
    levels.forEach((value, place) => (table[place] = mapping(value)));
    return { rows, columns, stored, table };
  };
  return {
    facts: { rows, columns, digest: '0'.repeat(64) },
    histogram: { values: levels, counts },
    shown: tabled((value) => value),
    mapped: tabled,
  };
}

/** What the decoder thread makes of a film of these display values, for networks of 224 x 224. */
export function reduced(plane: Plane, attributes: Attributes = {}): ReducedFilm {
  return reduce(displayed(plane), attributes, { rows: 224, columns: 224 });
}
