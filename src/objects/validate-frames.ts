import dcmjs from 'dcmjs';
import type { Attributes } from '../dicom/attributes';
import type { PixelElement } from '../dicom/parse';
import { itemsOf, valuesOf } from './validate-modules';

/** Functional groups (PS3.3 section C.7.6.16) that an IOD requires, by their sequence's keyword. */
export interface FunctionalGroupRules {
  /** Required in each item of the per-frame groups. */
  readonly everyFrame: readonly string[];
  /** Required in the shared groups, or else in each item of the per-frame groups. */
  readonly anywhere: readonly string[];
}

/** Checks the number of bytes against the header (PS3.5 section 8), and the header for contradictions. */
export function pixelProblems(attributes: Attributes, pixelData: PixelElement | null): string[] {
  const value = (keyword: string, otherwise = NaN) => Number(valuesOf(attributes[keyword])[0] ?? otherwise);
  const bits = value('BitsAllocated');
  const floats = attributes.FloatPixelData;
  const data = floats instanceof Uint8Array ? floats : pixelData?.fragments[0];
  if (data === undefined || pixelData?.encapsulated) return ['PixelData is missing'];
  const bytes = Math.ceil(
    (value('Rows') * value('Columns') * value('SamplesPerPixel') * value('NumberOfFrames', 1) * bits) / 8,
  );
  const rules: readonly (readonly [boolean, string])[] = [
    [data.length === bytes + (bytes % 2), 'PixelData is longer or shorter than the header says'],
    [floats === undefined || bits === 32, 'FloatPixelData needs BitsAllocated 32'],
    [floats !== undefined || value('HighBit') === value('BitsStored') - 1, 'HighBit is not one less than BitsStored'],
    [floats !== undefined || value('BitsStored') <= bits, 'BitsStored is more than BitsAllocated'],
    [
      value('SamplesPerPixel') === 1 || valuesOf(attributes.PlanarConfiguration).length === 1,
      'PlanarConfiguration is missing',
    ],
    [
      /^MONOCHROME/.test(String(attributes.PhotometricInterpretation)) === (value('SamplesPerPixel') === 1),
      'PhotometricInterpretation does not fit SamplesPerPixel',
    ],
  ];
  return rules.filter(([holds]) => !holds).map(([, problem]) => problem);
}

export function frameProblems(attributes: Attributes, rules: FunctionalGroupRules): string[] {
  const [shared] = itemsOf(attributes, 'SharedFunctionalGroupsSequence');
  const frames = itemsOf(attributes, 'PerFrameFunctionalGroupsSequence');
  const has = (groups: Attributes | undefined, keyword: string) => valuesOf(groups?.[keyword]).length > 0;
  const missing = (keyword: string) => `${keyword} is missing in the functional groups`;
  return [
    ...(frames.length === Number(attributes.NumberOfFrames)
      ? []
      : ['PerFrameFunctionalGroupsSequence has not as many items as NumberOfFrames says']),
    ...rules.everyFrame.filter((keyword) => !frames.every((frame) => has(frame, keyword))).map(missing),
    ...rules.anywhere
      .filter(
        (keyword) => !has(shared, keyword) && !(frames.length > 0 && frames.every((frame) => has(frame, keyword))),
      )
      .map(missing),
    ...dimensionProblems(attributes, frames),
    ...segmentProblems(attributes, frames),
  ];
}

/**
 * Section C.7.6.17: each dimension refers to an attribute that every frame has, belongs to a declared organisation, and
 * has an index in each frame.
 */
function dimensionProblems(attributes: Attributes, frames: readonly Attributes[]): string[] {
  const organisations = itemsOf(attributes, 'DimensionOrganizationSequence').map(
    (item) => item.DimensionOrganizationUID,
  );
  const dimensions = itemsOf(attributes, 'DimensionIndexSequence');
  const resolves = (dimension: Attributes, frame: Attributes) => {
    const [group, pointed] = [keywordOf(dimension.FunctionalGroupPointer), keywordOf(dimension.DimensionIndexPointer)];
    return (
      group !== undefined &&
      pointed !== undefined &&
      itemsOf(frame, group).some((item) => valuesOf(item[pointed]).length > 0)
    );
  };
  const indexes = (frame: Attributes) =>
    valuesOf(itemsOf(frame, 'FrameContentSequence')[0]?.DimensionIndexValues).length;
  return [
    ...dimensions.flatMap((dimension, index) => {
      const place = `DimensionIndexSequence[${index}].`;
      return [
        ...(organisations.includes(dimension.DimensionOrganizationUID)
          ? []
          : [`${place}DimensionOrganizationUID is not declared`]),
        ...(frames.every((frame) => resolves(dimension, frame))
          ? []
          : [`${place}DimensionIndexPointer points at nothing`]),
      ];
    }),
    ...(frames.every((frame) => indexes(frame) === dimensions.length)
      ? []
      : ['DimensionIndexValues has not one value for each dimension']),
  ];
}

/** Section C.8.20.2: segments are numbered from 1, and each frame belongs to one of them. */
function segmentProblems(attributes: Attributes, frames: readonly Attributes[]): string[] {
  const numbers = itemsOf(attributes, 'SegmentSequence').map((segment) => segment.SegmentNumber);
  const referred = frames
    .flatMap((frame) => itemsOf(frame, 'SegmentIdentificationSequence'))
    .map((item) => item.ReferencedSegmentNumber);
  return [
    ...(numbers.every((number, index) => number === index + 1) ? [] : ['SegmentNumber does not count from 1']),
    ...(referred.every((number) => numbers.includes(number)) ? [] : ['ReferencedSegmentNumber names no segment']),
  ];
}

function keywordOf(tag: unknown): string | undefined {
  if (typeof tag !== 'number') return undefined;
  const digits = tag.toString(16).toUpperCase().padStart(8, '0');
  return dcmjs.data.DicomMetaDictionary.dictionary[`(${digits.slice(0, 4)},${digits.slice(4)})`]?.name;
}
