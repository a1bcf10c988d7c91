/**
 * Maps rows of a film through a table and resamples them to fewer columns, four at a time: AssemblyScript, compiled by
 * `npm run kernel`. The lanes of a vector are rows, never parts of one sum, so that each value equals that of
 * `resample` in imaging/plane.ts to the last bit. Pointers are byte offsets; the caller lays out the memory and checks
 * all numbers.
 */

/**
 * Maps four rows of stored values through a table.
 * @param stored u16, the rows one after the other
 * @param table f32 for each of the 65536 values of 16 bits
 * @param out f32, interleaved: the four rows' values pixel by pixel
 */
export function gather(stored: usize, columns: i32, table: usize, out: usize): void {
  const row = (<usize>columns) << 1;
  for (let c: i32 = 0; c < columns; c++) {
    const at = stored + ((<usize>c) << 1);
    let values = v128.load32_zero(table + ((<usize>load<u16>(at)) << 2));
    values = v128.load32_lane(table + ((<usize>load<u16>(at + row)) << 2), values, 1);
    values = v128.load32_lane(table + ((<usize>load<u16>(at + 2 * row)) << 2), values, 2);
    values = v128.load32_lane(table + ((<usize>load<u16>(at + 3 * row)) << 2), values, 3);
    v128.store(out + ((<usize>c) << 4), values);
  }
}

/**
 * Resamples those rows to `columns` columns.
 * @param rows output of `gather`
 * @param starts i32, the first source column of each
 * @param counts i32, the number of source columns of each
 * @param weights f64, of all of them
 * @param out f64, the four rows one after the other
 */
export function narrow(rows: usize, columns: i32, starts: usize, counts: usize, weights: usize, out: usize): void {
  const row = (<usize>columns) << 3;
  let weight = weights;
  for (let c: i32 = 0; c < columns; c++) {
    let from = rows + ((<usize>load<i32>(starts + ((<usize>c) << 2))) << 4);
    const count = load<i32>(counts + ((<usize>c) << 2));
    let upper = f64x2.splat(0);
    let lower = f64x2.splat(0);
    for (let k: i32 = 0; k < count; k++) {
      const factor = v128.load64_splat(weight);
      const values = v128.load(from);
      const last = i8x16.shuffle(values, values, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
      upper = f64x2.add(upper, f64x2.mul(factor, f64x2.promote_low_f32x4(values)));
      lower = f64x2.add(lower, f64x2.mul(factor, f64x2.promote_low_f32x4(last)));
      weight += 8;
      from += 16;
    }
    const at = out + ((<usize>c) << 3);
    store<f64>(at, f64x2.extract_lane(upper, 0));
    store<f64>(at + row, f64x2.extract_lane(upper, 1));
    store<f64>(at + 2 * row, f64x2.extract_lane(lower, 0));
    store<f64>(at + 3 * row, f64x2.extract_lane(lower, 1));
  }
}

/** sums[c] += weight * row[c], f64 both */
export function accumulate(sums: usize, row: usize, columns: i32, weight: f64): void {
  const factor = f64x2.splat(weight);
  let c: i32 = 0;
  for (; c + 2 <= columns; c += 2) {
    const at = (<usize>c) << 3;
    v128.store(sums + at, f64x2.add(v128.load(sums + at), f64x2.mul(factor, v128.load(row + at))));
  }
  if (c === columns) return;
  const at = (<usize>c) << 3;
  store<f64>(sums + at, load<f64>(sums + at) + weight * load<f64>(row + at));
}
