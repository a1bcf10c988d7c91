import type { Attributes } from '../../dicom/attributes';
import type { Code } from '../../dicom/code';
import { imageHeader } from '../../dicom/image-header';
import type { Opened } from '../../dicom/read';
import { areAllInShadow } from '../../finding/finding';
import { percentOf } from '../../finding/wording';
import { components, outline } from '../../imaging/outline';
import type { Polygon } from '../../imaging/polygon';
import { CODES, HILUM_SCHEME } from '../../objects/codes';
import { codeOf, readReport } from '../../objects/report-reader';
import type { FilmReport } from './contract';
import type { StoredOutlines } from './stored-outlines';

/** Smaller regions, as a share of the film, are dropped. */
const SMALLEST_REGION = 0.002;
/** Samples per side of the grid on which outlines are traced: enough for a screen. */
const GRID = 512;

/**
 * A stored report of Hilum in words, with the outlines of it and of the segmentation.
 * @param size size of the film in pixels, null where unknown
 * @param drawn sources of the lungs' outlines: the opened Segmentation, and outlines of the heat map; null without
 * @throws HilumError DICOM_UNREADABLE when it is no report of Hilum
 */
export function reportView(
  report: Attributes,
  size: FilmReport['size'],
  { segmentation, heatMap }: { readonly segmentation: Opened | null; readonly heatMap: StoredOutlines | null },
): FilmReport {
  const { findings } = readReport(report);
  const evaluations = children(find(children(report), CODES.qualitativeEvaluations));
  return {
    summary: text(find(evaluations, CODES.summary)),
    statements: statements(report, evaluations),
    size,
    hotRegion: isAnalysed(evaluations) && !areAllInShadow(findings) ? region(report) : [],
    lungs: (segmentation === null ? null : lungOutlines(segmentation)) ?? heatMap?.lungs ?? null,
    outlinesAreBurnedIn: heatMap?.areBurnedIn ?? false,
  };
}

function isAnalysed(evaluations: readonly Attributes[]): boolean {
  return text(find(evaluations, CODES.outcome)) === 'analysed';
}

/**
 * Items of the report for people, without the summary, which is shown separately, and without those for programs, which
 * repeat it.
 */
function statements(report: Attributes, evaluations: readonly Attributes[]): FilmReport['statements'] {
  const meant = [...measurementGroups(report).flatMap(children), ...evaluations].filter((item) => {
    const name = sequence(item, 'ConceptNameCodeSequence')[0];
    return (
      name?.CodeValue !== CODES.summary.value &&
      (name?.CodingSchemeDesignator !== HILUM_SCHEME ||
        name.CodeValue === CODES.remark.value ||
        name.CodeValue === CODES.reasonText.value)
    );
  });
  return meant.flatMap((item) => {
    const value = valueOf(item);
    return value === '' ? [] : [{ name: codeIn(item, 'ConceptNameCodeSequence').meaning, value }];
  });
}

function valueOf(item: Attributes): string {
  switch (item.ValueType) {
    case 'TEXT':
      return text(item);
    case 'CODE':
      return codeIn(item, 'ConceptCodeSequence').meaning;
    case 'NUM': {
      const measured = sequence(item, 'MeasuredValueSequence')[0];
      const value = Number([measured?.NumericValue ?? ''].flat()[0]);
      const unit = codeIn(measured, 'MeasurementUnitsCodeSequence').value;
      return `${unit === '%' ? percentOf(value / 100) : value.toFixed(1)} ${unit}`;
    }
    default:
      return '';
  }
}

function codeIn(item: Attributes | undefined, keyword: string): Code {
  return codeOf(sequence(item, keyword)[0] ?? {});
}

function measurementGroups(report: Attributes): Attributes[] {
  const measurements = children(find(children(report), CODES.imagingMeasurements));
  return measurements.filter((item) => isNamed(item, CODES.measurementGroup));
}

/** Region of the leading finding. SCOORD (PS3.3 section C.18.6): column and row of each corner. */
function region(report: Attributes): Polygon {
  const data = [find(children(measurementGroups(report)[0]), CODES.imageRegion)?.['GraphicData'] ?? []]
    .flat()
    .map(Number);
  return Array.from({ length: Math.floor(data.length / 2) }, (_, i) => [data[2 * i]!, data[2 * i + 1]!] as const);
}

/** Outlines of a binary one-frame Segmentation of Hilum, in the film's pixels. Null for anything else. */
function lungOutlines({ attributes, pixelData }: Opened): Polygon[] | null {
  const { rows, columns } = imageHeaderOfBits(attributes);
  const bytes = pixelData?.fragments[0];
  if (bytes === undefined || pixelData!.encapsulated || bytes.length * 8 < rows * columns) return null;
  const step = Math.max(1, Math.ceil(Math.max(rows, columns) / GRID));
  const [tall, wide] = [Math.ceil(rows / step), Math.ceil(columns / step)];
  const values = new Float32Array(tall * wide);
  for (let row = 0; row < tall; row++) {
    for (let column = 0; column < wide; column++) {
      const at = row * step * columns + column * step;
      values[row * wide + column] = (bytes[at >> 3]! >> (at & 7)) & 1;
    }
  }
  const regions = components({ rows: tall, columns: wide, values }).filter(
    ({ area }) => area >= SMALLEST_REGION * values.length,
  );
  return regions.map(({ mask }) => outline(mask, { column: columns / wide, row: rows / tall }));
}

/** {@link imageHeader} accepts films only, which have 8 or 16 bits. */
function imageHeaderOfBits(attributes: Attributes): { rows: number; columns: number } {
  return imageHeader({ ...attributes, BitsAllocated: 8, BitsStored: 8, HighBit: 7, NumberOfFrames: 1 });
}

function find(items: readonly Attributes[], concept: Code): Attributes | undefined {
  return items.find((item) => isNamed(item, concept));
}

function isNamed(item: Attributes, { value, scheme }: Code): boolean {
  const name = sequence(item, 'ConceptNameCodeSequence')[0];
  return name?.CodeValue === value && name.CodingSchemeDesignator === scheme;
}

function children(item: Attributes | undefined): Attributes[] {
  return sequence(item, 'ContentSequence');
}

function text(item: Attributes | undefined): string {
  return typeof item?.TextValue === 'string' ? item.TextValue : '';
}

function sequence(item: Attributes | undefined, keyword: string): Attributes[] {
  return [item?.[keyword] ?? []].flat() as Attributes[];
}
