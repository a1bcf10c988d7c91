/**
 * Whether a probability reaches the operating point (both 0..1). Equal counts as reached, because the operating point
 * is the lowest output that was called positive.
 */
export function isAtOrAbove(probability: number, operatingPoint: number): boolean {
  return probability >= operatingPoint;
}
