import type { TabledPicture } from '../dicom/pixels';
import { type Plane, type Size, type Taps, taps } from './plane';
import { ROWS_WASM } from './rows-wasm';

interface Kernel {
  gather(stored: number, columns: number, table: number, out: number): void;
  narrow(rows: number, columns: number, starts: number, counts: number, weights: number, out: number): void;
  accumulate(sums: number, row: number, columns: number, weight: number): void;
}

/** Rows that are processed at a time. */
const LANES = 4;
const PAGE_BYTES = 65_536;

let loaded: { readonly kernel: Kernel; readonly memory: WebAssembly.Memory } | undefined;

function load(bytes: number): NonNullable<typeof loaded> {
  if (loaded === undefined) {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const module = new WebAssembly.Module(Buffer.from(ROWS_WASM, 'base64'));
    loaded = { kernel: new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernel, memory };
  }
  const missing = Math.ceil((bytes - loaded.memory.buffer.byteLength) / PAGE_BYTES);
  if (missing > 0) loaded.memory.grow(missing);
  return loaded;
}

/** Allocates parts of the kernel's memory, one after the other. */
class Layout {
  private end = 0;

  take(bytes: number): number {
    const start = this.end;
    this.end = (start + bytes + 15) & ~15;
    return start;
  }

  get bytes(): number {
    return this.end;
  }
}

/** Source and result of one picture, with the positions of its parts in the kernel's memory. */
interface Target {
  readonly picture: TabledPicture;
  readonly to: Size;
  readonly across: Taps;
  readonly down: Taps;
  readonly at: Record<'table' | 'rows' | 'starts' | 'counts' | 'weights' | 'narrow' | 'sums', number>;
}

/**
 * Resamples pictures of the same size in one pass over their rows, each exactly as `resample` of plane.ts does, but
 * many times faster: a film has millions of pixels, the results few.
 */
export function resampleTabled(pictures: readonly { readonly picture: TabledPicture; readonly to: Size }[]): Plane[] {
  const [first] = pictures;
  if (first === undefined) return [];
  const { rows, columns } = first.picture;
  const layout = new Layout();
  const stored = layout.take(2 * LANES * columns);
  const targets = pictures.map(({ picture, to }) => targetOf(picture, to, layout));
  const { kernel, memory } = load(layout.bytes);
  for (const target of targets) prepare(target, memory.buffer);
  const lines = new Uint16Array(memory.buffer, stored, LANES * columns);
  for (let row = 0; row < rows; row += LANES) {
    const some = Math.min(LANES, rows - row);
    for (const [index, target] of targets.entries()) {
      const source = target.picture.stored;
      if (index === 0 || source !== targets[index - 1]!.picture.stored)
        lines.set(source.subarray(row * columns, (row + some) * columns));
      addRows(target, { row, some, stored }, kernel, memory.buffer);
    }
  }
  return targets.map(({ to, at }) => ({
    ...to,
    values: new Float32Array(new Float64Array(memory.buffer, at.sums, to.rows * to.columns)),
  }));
}

function targetOf(picture: TabledPicture, to: Size, layout: Layout): Target {
  const [across, down] = [taps(picture.columns, to.columns), taps(picture.rows, to.rows)];
  const at = {
    table: layout.take(4 * picture.table.length),
    rows: layout.take(4 * LANES * picture.columns),
    starts: layout.take(4 * to.columns),
    counts: layout.take(4 * to.columns),
    weights: layout.take(8 * across.weights.length),
    narrow: layout.take(8 * LANES * to.columns),
    sums: layout.take(8 * to.rows * to.columns),
  };
  return { picture, to, across, down, at };
}

function prepare({ picture, to, across, at }: Target, memory: ArrayBuffer): void {
  new Float32Array(memory, at.table, picture.table.length).set(picture.table);
  new Int32Array(memory, at.starts, to.columns).set(across.starts);
  new Int32Array(memory, at.counts, to.columns).set(across.counts);
  new Float64Array(memory, at.weights, across.weights.length).set(across.weights);
  new Float64Array(memory, at.sums, to.rows * to.columns).fill(0);
}

function addRows(
  { picture: { columns, exceptions }, to, down, at }: Target,
  { row, some, stored }: { readonly row: number; readonly some: number; readonly stored: number },
  kernel: Kernel,
  memory: ArrayBuffer,
): void {
  kernel.gather(stored, columns, at.table, at.rows);
  for (let lane = 0; lane < some; lane++) {
    if (exceptions?.has(row + lane) !== true) continue;
    const values = new Float32Array(memory, at.rows, LANES * columns);
    exceptions.forEach(row + lane, (column, value) => (values[LANES * column + lane] = value));
  }
  kernel.narrow(at.rows, to.columns, at.starts, at.counts, at.weights, at.narrow);
  for (let lane = 0; lane < some; lane++) {
    const [begin, end] = reachedBy(row + lane, down);
    for (let r = begin; r < end; r++)
      kernel.accumulate(
        at.sums + 8 * r * to.columns,
        at.narrow + 8 * lane * to.columns,
        to.columns,
        down.weights[down.offsets[r]! + row + lane - down.starts[r]!]!,
      );
  }
}

/** Output rows that use a source row; both ends only grow from one source row to the next. */
function reachedBy(source: number, { starts, counts }: Taps): readonly [begin: number, end: number] {
  const begin = lowest(starts.length, (r) => starts[r]! + counts[r]! > source);
  return [begin, lowest(starts.length, (r) => starts[r]! > source)];
}

/** The lowest index for which `holds` is true; it must be true for all after it. */
function lowest(length: number, holds: (index: number) => boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
