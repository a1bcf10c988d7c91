import type { Attributes } from '../../../src/dicom/attributes';
import type { DisplayedFilm } from '../../../src/dicom/pixels';
import type { Plane } from '../../../src/imaging/plane';
import { reduce, type ReducedFilm } from '../../../src/pipeline/reduce';

/** A film of these display values, as the decoder has it. */
function displayed({ rows, columns, values }: Plane): DisplayedFilm {
  const rowOf = (index: number) => values.subarray(index * columns, (index + 1) * columns);
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const ascending = [...counts].sort(([a], [b]) => a - b);
  return {
    facts: { rows, columns, digest: '0'.repeat(64) },
    histogram: { values: ascending.map(([value]) => value), counts: ascending.map(([, count]) => count) },
    row: (index, into) => into.set(rowOf(index)),
    mapped: (mapping) => (index, into) => into.set(rowOf(index).map(mapping)),
  };
}

/** What the decoder thread makes of a film of these display values, for networks of 224 x 224. */
export function reduced(plane: Plane, attributes: Attributes = {}): ReducedFilm {
  return reduce(displayed(plane), attributes, { rows: 224, columns: 224 });
}
