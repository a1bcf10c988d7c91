/** An element of a group 60xx. */
export interface OverlayElement {
  readonly tag: number;
  readonly value: Uint8Array;
}

/** Group 60xx, xx even and at most 1E (PS3.5 section 7.6). */
export function isOverlay(tag: number): boolean {
  return tag >>> 16 >= 0x6000 && tag >>> 16 <= 0x601e && ((tag >>> 16) & 1) === 0;
}

/** Checks each overlay plane of a file (PS3.3 section C.9.2), as far as mistakes of ours are possible. */
export function overlayProblems(elements: readonly OverlayElement[]): string[] {
  const groups = new Set(elements.map(({ tag }) => tag >>> 16));
  return [...groups].flatMap((group) => {
    const own = new Map(
      elements.filter(({ tag }) => tag >>> 16 === group).map(({ tag, value }) => [tag & 0xffff, value]),
    );
    return planeProblems(own).map((problem) => `overlay group ${group.toString(16)}: ${problem}`);
  });
}

function planeProblems(own: ReadonlyMap<number, Uint8Array>): string[] {
  const number = (element: number, place = 0) => {
    const value = own.get(element);
    const at = place * 2;
    return value === undefined || value.length < at + 2 ? NaN : value[at]! | (value[at + 1]! << 8);
  };
  const [rows, columns] = [number(0x0010), number(0x0011)];
  const rules: readonly (readonly [boolean, string])[] = [
    [rows > 0 && columns > 0, 'OverlayRows or OverlayColumns is missing'],
    [/^[GR] ?$/.test(Buffer.from(own.get(0x0040) ?? []).toString('latin1')), 'OverlayType is neither G nor R'],
    [!Number.isNaN(number(0x0050, 1)), 'OverlayOrigin has not two values'],
    [number(0x0100) === 1, 'OverlayBitsAllocated is not 1'],
    [number(0x0102) === 0, 'OverlayBitPosition is not 0'],
    [
      own.get(0x3000)?.length === 2 * Math.ceil((rows * columns) / 16),
      'OverlayData is longer or shorter than its rows and columns say',
    ],
  ];
  return rules.filter(([holds]) => !holds).map(([, problem]) => problem);
}
