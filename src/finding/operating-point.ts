/**
 * Whether a network's output reaches its operating point (both 0..1). "At" counts as reached: an operating point is
 * chosen as the least output that is called.
 */
export function isAtOrAbove(probability: number, operatingPoint: number): boolean {
  return probability >= operatingPoint;
}
