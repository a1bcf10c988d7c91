import { undecodable } from './pixel-error';

const HEADER_LENGTH = 64;

/** RLE Lossless (PS3.5 annex G): byte planes, the most significant byte first, each packed by PackBits. */
export interface RleShape {
  readonly pixels: number;
  readonly samplesPerPixel: number;
  /** 1, 2 or 4 */
  readonly bytesPerSample: number;
}

/** @returns samples in little endian, planes one after the other (Planar Configuration 1) */
export function decodeRle(data: Uint8Array, { pixels, samplesPerPixel, bytesPerSample }: RleShape): Uint8Array {
  const planes = samplesPerPixel * bytesPerSample;
  const bounds = segmentBounds(data, planes);
  const output = new Uint8Array(pixels * planes);
  for (let plane = 0; plane < planes; plane += 1) {
    const sample = Math.floor(plane / bytesPerSample);
    const significance = bytesPerSample - 1 - (plane % bytesPerSample);
    unpack(
      data.subarray(bounds[plane], bounds[plane + 1]),
      output,
      sample * pixels * bytesPerSample + significance,
      bytesPerSample,
      pixels,
    );
  }
  return output;
}

/** Start of each segment, and the end of the last one. */
function segmentBounds(data: Uint8Array, planes: number): number[] {
  if (data.length < HEADER_LENGTH) throw undecodable('the RLE pixel data end within their header');
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (view.getUint32(0, true) !== planes)
    throw undecodable(`the RLE pixel data have ${view.getUint32(0, true)} segments where ${planes} belong`);
  const starts = Array.from({ length: planes }, (_, index) => view.getUint32(4 + 4 * index, true));
  if (starts.some((start, index) => start < HEADER_LENGTH || start > data.length || start < (starts[index - 1] ?? 0)))
    throw undecodable('the RLE segment table is damaged');
  return [...starts, data.length];
}

/** Unpacks a segment (PS3.5 section G.3.2) into every `step`th byte of the output. */
function unpack(segment: Uint8Array, output: Uint8Array, first: number, step: number, pixels: number): void {
  const end = first + pixels * step;
  let [input, to] = [0, first];
  while (to < end && input < segment.length) {
    const control = segment[input++]!;
    if (control === 128) continue;
    if (control < 128) {
      const stop = Math.min(end, to + (control + 1) * step);
      // Bytes after the end of the segment are undefined; the loop ends below.
      for (let from = input; to < stop; to += step) output[to] = segment[from++]!;
      input += control + 1;
    } else {
      const stop = Math.min(end, to + (257 - control) * step);
      for (const value = segment[input++]!; to < stop; to += step) output[to] = value;
    }
  }
  if (to < end || input > segment.length) throw undecodable('the compressed pixel data are cut off');
}
