import type { Attributes } from '../dicom/attributes';
import { itemsOf, type Module, moduleProblems, valuesOf } from './validate-modules';

const UNITS = ['PIXEL', 'DISPLAY', 'MATRIX'];
const GRAPHIC: Module = [
  ['GraphicAnnotationUnits', 1, UNITS],
  ['GraphicDimensions', 1, [2]],
  ['NumberOfGraphicPoints', 1],
  ['GraphicData', 1],
  ['GraphicType', 1, ['POINT', 'POLYLINE', 'INTERPOLATED', 'CIRCLE', 'ELLIPSE']],
  ['GraphicFilled', 1, ['Y', 'N']],
];
/** Text with a bounding box; anchor points are not written. */
const TEXT: Module = [
  ['UnformattedTextValue', 1],
  ['BoundingBoxAnnotationUnits', 1, UNITS],
  ['BoundingBoxTopLeftHandCorner', 1],
  ['BoundingBoxBottomRightHandCorner', 1],
  ['BoundingBoxTextHorizontalJustification', 1, ['LEFT', 'RIGHT', 'CENTER']],
];

/**
 * Checks Graphic Annotation and Graphic Layer (PS3.3 sections C.10.5 and C.10.7), and the film's display (C.11.1,
 * C.11.8).
 */
export function graphicProblems(attributes: Attributes): string[] {
  const layers = itemsOf(attributes, 'GraphicLayerSequence').map((layer) => layer.GraphicLayer);
  const [area] = itemsOf(attributes, 'DisplayedAreaSelectionSequence');
  const corner = valuesOf(area?.DisplayedAreaBottomRightHandCorner).map(Number);
  return [
    ...(new Set(layers).size === layers.length ? [] : ['GraphicLayerSequence names a layer twice']),
    ...itemsOf(attributes, 'GraphicAnnotationSequence').flatMap((annotation, index) =>
      annotationProblems(annotation, `GraphicAnnotationSequence[${index}].`, layers, corner),
    ),
    ...itemsOf(attributes, 'SoftcopyVOILUTSequence').flatMap((item, index) =>
      voiProblems(item, `SoftcopyVOILUTSequence[${index}].`),
    ),
    ...(has(attributes, 'ModalityLUTSequence') && has(attributes, 'RescaleSlope')
      ? ['ModalityLUTSequence and RescaleSlope exclude each other']
      : []),
    ...(has(attributes, 'RescaleSlope') === has(attributes, 'RescaleIntercept') &&
    has(attributes, 'RescaleSlope') === has(attributes, 'RescaleType')
      ? []
      : ['RescaleSlope, RescaleIntercept and RescaleType belong together']),
  ];
}

function annotationProblems(
  annotation: Attributes,
  path: string,
  layers: readonly unknown[],
  corner: readonly number[],
): string[] {
  const [graphics, texts] = [itemsOf(annotation, 'GraphicObjectSequence'), itemsOf(annotation, 'TextObjectSequence')];
  return [
    ...(layers.includes(annotation.GraphicLayer) ? [] : [`${path}GraphicLayer names no layer`]),
    ...(graphics.length + texts.length > 0 ? [] : [`${path} draws nothing`]),
    ...graphics.flatMap((item, index) => objectProblems(item, `${path}GraphicObjectSequence[${index}].`, corner)),
    ...texts.flatMap((item, index) => moduleProblems(TEXT, item, `${path}TextObjectSequence[${index}].`)),
  ];
}

function objectProblems(item: Attributes, path: string, [columns = 0, rows = 0]: readonly number[]): string[] {
  const data = valuesOf(item.GraphicData).map(Number);
  const outside =
    item.GraphicAnnotationUnits === 'PIXEL' &&
    data.some((value, index) => value < 0 || value > (index % 2 === 0 ? columns : rows));
  return [
    ...moduleProblems(GRAPHIC, item, path),
    ...(data.length === 2 * Number(item.NumberOfGraphicPoints)
      ? []
      : [`${path}GraphicData has not as many points as NumberOfGraphicPoints says`]),
    ...(outside ? [`${path}GraphicData lies beyond the film`] : []),
  ];
}

function voiProblems(item: Attributes, path: string): string[] {
  return has(item, 'VOILUTSequence') === has(item, 'WindowCenter')
    ? [`${path} has to have a window or a LUT, and not both`]
    : [];
}

function has(attributes: Attributes, keyword: string): boolean {
  return valuesOf(attributes[keyword]).length > 0;
}
