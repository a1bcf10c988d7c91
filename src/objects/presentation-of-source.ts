import { type Attributes, items, type Keyword, number, numbers, text } from '../dicom/attributes';
import type { Dataset } from '../dicom/dataset';
import { isInverse, type Lut, modalityLut, voiLut, voiMapping } from '../dicom/lut';
import { clean } from '../dicom/sanitise';

/**
 * Grayscale transformations of a film's own header, repeated for a presentation state, which otherwise counts as
 * identity (PS3.4 section N.2.1). LUT or window are chosen as in lut.ts, as for the models' input.
 */
export function grayscaleTransformations(source: Attributes): Dataset {
  return {
    ...modalityTransformation(source),
    ...softcopyVoiLut(source),
    // Photometric Interpretation is ignored (PS3.3 section C.11.6), so that MONOCHROME1 is stated here.
    PresentationLUTShape: isInverse(source) ? 'INVERSE' : 'IDENTITY',
  };
}

/** PS3.3 section C.11.1 */
function modalityTransformation(source: Attributes): Dataset {
  const [item] = items(source, 'ModalityLUTSequence');
  const lut = modalityLut(source);
  if (item && lut)
    return {
      ModalityLUTSequence: [
        { ...lutItem(item, lut), ModalityLUTType: clean('LO', text(item, 'ModalityLUTType')) || 'US' },
      ],
    };
  const [slope, intercept] = [number(source, 'RescaleSlope'), number(source, 'RescaleIntercept')];
  if (slope === undefined && intercept === undefined) return {};
  return {
    RescaleIntercept: clean('DS', intercept ?? 0),
    RescaleSlope: clean('DS', slope ?? 1),
    RescaleType: clean('LO', text(source, 'RescaleType')) || 'US',
  };
}

/** One LUT or one window (PS3.3 section C.11.8). Empty where the film has no usable one. */
function softcopyVoiLut(source: Attributes): Dataset {
  if (voiMapping(source) === undefined) return {};
  const [item] = items(source, 'VOILUTSequence');
  const lut = voiLut(source);
  return {
    SoftcopyVOILUTSequence: [item && lut ? { VOILUTSequence: [lutItem(item, spread(lut))] } : windowItem(source)],
  };
}

function windowItem(source: Attributes): Dataset {
  const shape = text(source, 'VOILUTFunction');
  return {
    WindowCenter: clean('DS', number(source, 'WindowCenter')),
    WindowWidth: clean('DS', number(source, 'WindowWidth')),
    ...(shape === 'SIGMOID' || shape === 'LINEAR_EXACT' ? { VOILUTFunction: shape } : {}),
  };
}

/** Always 16-bit words (PS3.3 section C.11.1.1.1). OW, because 65536 entries overflow the length field of US. */
function lutItem(item: Attributes, { first, data, bits }: Omit<Lut, 'held'>): Dataset {
  const words = new DataView(new ArrayBuffer(2 * data.length));
  for (let index = 0; index < data.length; index += 1) words.setUint16(2 * index, data[index]!, true);
  const explanation = clean('LO', text(item, 'LUTExplanation'));
  return {
    LUTDescriptor: [data.length & 0xffff, first, bits],
    ...(explanation === '' ? {} : { LUTExplanation: explanation }),
    LUTData: [words.buffer],
    _vrMap: { LUTDescriptor: first < 0 ? 'SS' : 'US', LUTData: 'OW' },
  };
}

/**
 * The same curve with entries spread over 16 bits: a presentation state may have 8 or 16 bits, an image anything
 * between (section C.11.2.1.1).
 */
function spread({ first, data, held }: Lut): Omit<Lut, 'held'> {
  const range = 2 ** held - 1;
  return { first, bits: 16, data: Uint16Array.from(data, (entry) => Math.round((entry * 0xffff) / range)) };
}

/**
 * Height to width of a pixel as two integers, for PS3.3 section C.10.4; from the film's spacing where it has one, as in
 * section C.7.6.3.1.7.
 */
export function pixelAspectRatio(source: Attributes): [vertical: number, horizontal: number] {
  const keywords: readonly Keyword[] = [
    'PixelSpacing',
    'ImagerPixelSpacing',
    'NominalScannedPixelSpacing',
    'PixelAspectRatio',
  ];
  const given = keywords
    .map((keyword) => numbers(source, keyword))
    .find((pair) => pair.length === 2 && pair.every(isPixelSide)) ?? [1, 1];
  const [vertical, horizontal] = given.map((side) => Math.round(side * 1e6)) as [number, number];
  const divisor = greatestCommonDivisor(vertical, horizontal);
  return [vertical / divisor, horizontal / divisor];
}

/** A side in millimetres or of a ratio. A millionth of the largest value fits an Integer String. */
function isPixelSide(side: number): boolean {
  return side >= 1e-4 && side <= 2000;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/**
 * Display Shutter of the film (PS3.3 section C.7.6.11), where it is complete, so that hidden parts stay hidden. Without
 * a value for the hidden part it is black.
 */
export function displayShutter(source: Attributes): Dataset {
  const shapes = Object.entries(SHUTTERS).filter(([shape]) => [source.ShutterShape].flat().includes(shape));
  const copied = shapes.map(([, keywords]) => keywords.map((keyword) => [keyword, numbers(source, keyword)] as const));
  const complete =
    copied.length > 0 &&
    copied
      .flat()
      .every(([keyword, values]) => isMultiplicity(keyword, values.length) && values.every(Number.isInteger));
  if (!complete) return {};
  return {
    ShutterShape: shapes.map(([shape]) => shape),
    ...Object.fromEntries(copied.flat().map(([keyword, values]) => [keyword, values.map(String)])),
    ShutterPresentationValue: shutterValue(source),
  };
}

const SHUTTERS: Readonly<Record<string, readonly Keyword[]>> = {
  RECTANGULAR: [
    'ShutterLeftVerticalEdge',
    'ShutterRightVerticalEdge',
    'ShutterUpperHorizontalEdge',
    'ShutterLowerHorizontalEdge',
  ],
  CIRCULAR: ['CenterOfCircularShutter', 'RadiusOfCircularShutter'],
  POLYGONAL: ['VerticesOfThePolygonalShutter'],
};

/** PS3.6; a polygon has three vertices or more. */
function isMultiplicity(keyword: Keyword, count: number): boolean {
  if (keyword === 'VerticesOfThePolygonalShutter') return count >= 6 && count % 2 === 0;
  return count === (keyword === 'CenterOfCircularShutter' ? 2 : 1);
}

function shutterValue(source: Attributes): number {
  const value = number(source, 'ShutterPresentationValue') ?? 0;
  return Number.isInteger(value) && value >= 0 && value <= 0xffff ? value : 0;
}
