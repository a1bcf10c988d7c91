import type { Point } from './sr-content';

/**
 * More points than any outline of ours has; 8191 would overflow the length field of Graphic Data (FL, PS3.5 section
 * 7.1.2).
 */
const MAX_POINTS = 4000;

/** An outline for Graphic Data: closed, and thinned where it has too many points. */
export function closed(outline: readonly Point[]): Point[] {
  const step = Math.ceil(outline.length / MAX_POINTS);
  const points = outline.filter((_, i) => i % step === 0);
  const [first, last] = [points[0]!, points[points.length - 1]!];
  return first[0] === last[0] && first[1] === last[1] ? points : [...points, first];
}
