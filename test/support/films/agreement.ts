import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Debian's own Python: pydicom and GDCM are installed for it. */
export const PYTHON = '/usr/bin/python3';
const REFERENCE = resolve(__dirname, '../../../scripts/lib/pydicom_gray.py');

/** Files on which the independent reader is no reference, and why. */
export const NO_REFERENCE: Readonly<Record<string, string>> = {
  'Pixel Data of VR ??': 'pydicom takes its length for one of two bytes, and four of its bytes for pixels',
  'pylibjpeg-data__966.dcm': 'GDCM gives up without a word, and returns zeros or what was in its memory before',
  'fo-dicom__GH195.dcm': 'the header says RGB, the JPEG inside is YCbCr, and GDCM believes the header: wrong colours',
  'pydicom__SC_rgb_small_odd_big_endian.dcm': 'pydicom 2 does not swap the words of an 8-bit OW in big endian',
  'pydicom-data__SC_ybr_full_uncompressed.dcm': 'saturated test bars: RGB clips, and its luminance is not Y any more',
  'pydicom__SC_ybr_full_422_uncompressed.dcm': 'the same bars',
};

export interface Compared {
  readonly name: string;
  /** Of |difference| between the two readers, in grey levels of 255; null where one of them has no picture. */
  readonly p99: number | null;
  readonly unread: { readonly ours?: string; readonly theirs?: string };
}

type Decode = (
  bytes: Uint8Array,
) => Promise<{ readonly rows: number; readonly columns: number; readonly values: Float32Array }>;

/** Grey levels in 255 that two readers may differ by at the 99th percentile; the little more is rounding. */
export const LIMIT = 1.001;

/**
 * The grey values that enter the models against those of pydicom, GDCM and OpenJPEG. A constant picture counts as
 * unread on either side.
 */
export async function compare(
  films: readonly { readonly name: string; readonly bytes: Uint8Array }[],
  decode: Decode,
): Promise<Compared[]> {
  const folder = mkdtempSync(join(tmpdir(), 'hilum-agreement-'));
  try {
    const theirs = reference(films, folder);
    const compared: Compared[] = [];
    for (const [index, { name, bytes }] of films.entries()) {
      const { error, rows, columns } = theirs[index]!;
      const ours = await decode(bytes).catch((reason: unknown) => (reason as Error).message);
      const unread = {
        ...(typeof ours === 'string' ? { ours } : {}),
        ...(error === undefined ? {} : { theirs: error }),
      };
      if (typeof ours === 'string' || error !== undefined) compared.push({ name, p99: null, unread });
      else
        compared.push({
          name,
          p99:
            rows === ours.rows && columns === ours.columns
              ? percentile(ours.values, floats(join(folder, `${index}.f32`)))
              : Infinity,
          unread,
        });
    }
    return compared;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Verdict {
  readonly error?: string;
  readonly rows: number;
  readonly columns: number;
}

function reference(films: readonly { readonly name: string; readonly bytes: Uint8Array }[], folder: string): Verdict[] {
  const paths = films.flatMap(({ bytes }, index) => {
    writeFileSync(join(folder, `${index}.dcm`), bytes);
    return [join(folder, `${index}.dcm`), join(folder, `${index}.f32`)];
  });
  const verdicts: (Verdict & { constant?: boolean })[] = [];
  while (verdicts.length < films.length) {
    const { stdout, error } = spawnSync(PYTHON, [REFERENCE, ...paths.slice(2 * verdicts.length)], {
      encoding: 'utf8',
      maxBuffer: 1e8,
    });
    if (error) throw error;
    verdicts.push(
      ...stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Verdict),
    );
    // GDCM crashes on some files; the next run begins after the file on which it did.
    if (verdicts.length < films.length) verdicts.push({ error: 'the independent reader crashed', rows: 0, columns: 0 });
  }
  return verdicts.map((verdict, index) => {
    const why =
      NO_REFERENCE[films[index]!.name] ?? verdict.error ?? (verdict.constant ? 'a constant picture' : undefined);
    return why === undefined ? verdict : { ...verdict, error: why };
  });
}

function floats(file: string): Float32Array {
  return new Float32Array(Uint8Array.from(readFileSync(file)).buffer);
}

function percentile(one: Float32Array, other: Float32Array): number {
  if (one.length !== other.length) return Infinity;
  // A NaN of either side must count as the largest difference: sorting would hide it.
  const differences = one
    .map((value, index) => (Number.isFinite(value - other[index]!) ? Math.abs(value - other[index]!) * 255 : Infinity))
    .sort();
  return differences[Math.min(differences.length - 1, Math.ceil(0.99 * differences.length) - 1)]!;
}
