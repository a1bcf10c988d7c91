import { type Attributes, number, text } from '../dicom/attributes';
import type { Dataset } from '../dicom/dataset';
import { clean, cut, plain, refuse } from '../dicom/sanitise';
import { RESEARCH_USE } from '../finding/wording';
import { type AnalysisIdentity, checkIdentity, equipmentModule, firstOf, localMoment, resultUids } from './analysis';
import { closed } from './graphic';
import { displayShutter, grayscaleTransformations, pixelAspectRatio } from './presentation-of-source';
import { SOP_CLASSES } from './sop-classes';
import type { Point } from './sr-content';
import { sourceReference, type SourceReference, studyModule } from './study-module';

/**
 * Coordinates in source pixels, (0, 0) at the top left corner of the top left pixel, as PIXEL in a Graphic Annotation
 * (PS3.3 section C.10.5).
 */
export interface PresentationContent {
  readonly lungOutlines: readonly (readonly Point[])[];
  /** The same object as `lungOutlines` where nothing speaks for the class: then no region is drawn as hot. */
  readonly hotRegions: readonly (readonly Point[])[];
}

const SERIES_NUMBER = '9905';

interface Layer {
  readonly name: string;
  readonly description: string;
  /** CIELab (PS3.3 section C.10.7.1.1): 16 bits each, for L* of 0..100 and a*, b* of -128..127. */
  readonly colour: readonly [number, number, number];
}

/**
 * Light blue and orange, which colour-blind readers can tell apart. The text has a layer of its own, so that it stays
 * when outlines are switched off.
 */
const LAYERS = {
  lungs: { name: 'LUNGS', description: 'Outlines of the lungs', colour: cieLab(80, -18, -28) },
  activation: {
    name: 'ACTIVATION',
    description: 'Outlines of the greatest class activation',
    colour: cieLab(72, 35, 65),
  },
  note: { name: 'NOTE', description: 'What this presentation state is', colour: cieLab(100, 0, 0) },
} as const satisfies Record<string, Layer>;

/**
 * Outlines of the lungs and of the hottest regions on the film, which is displayed by its own header. Null for a film
 * that is not grayscale, as this IOD is for grayscale images only (PS3.3 section A.33.1.1).
 * @param shown label of the finding whose regions are outlined; by default the first of the analysis
 * @throws HilumError ENCODE_FAILED when the outlines, the film's header or the identity can't make a valid object
 */
export function buildPresentationState(
  source: Attributes,
  content: PresentationContent,
  identity: AnalysisIdentity,
  shown = firstOf(identity).label,
): Dataset | null {
  checkIdentity(identity);
  if (!isGrayscale(source)) return null;
  const film = sourceReference(source);
  const { series, instance } = resultUids(film.studyInstanceUid, film.sopInstanceUid, identity).presentationState;
  const { date, time, offset } = localMoment(identity.startedAt, source);
  const annotations = annotationsOf(content, filmSize(source), shown);
  return {
    SOPClassUID: SOP_CLASSES.presentationState,
    SOPInstanceUID: instance,
    ...studyModule(source),
    ...equipmentModule(identity),
    ...offset,
    Modality: 'PR',
    SeriesInstanceUID: series,
    SeriesNumber: SERIES_NUMBER,
    SeriesDate: date,
    SeriesTime: time,
    SeriesDescription: `Hilum outlines - ${RESEARCH_USE.seriesDescription}`,
    // Type 2C of General Series; a chest has no side, so that it is empty.
    Laterality: '',
    InstanceNumber: '1',
    ContentLabel: 'HILUM',
    ContentDescription: `Lungs and class activation, outlined. ${RESEARCH_USE.unverified}.`,
    ContentCreatorName: '',
    PresentationCreationDate: date,
    PresentationCreationTime: time,
    ReferencedSeriesSequence: [
      { SeriesInstanceUID: film.seriesInstanceUid, ReferencedImageSequence: [reference(film)] },
    ],
    DisplayedAreaSelectionSequence: [displayedArea(source)],
    GraphicAnnotationSequence: annotations.map(({ layer, objects }) => ({ GraphicLayer: layer.name, ...objects })),
    GraphicLayerSequence: annotations.map(({ layer }, index) => layerItem(layer, index + 1)),
    ...displayShutter(source),
    ...grayscaleTransformations(source),
  };
}

function isGrayscale(source: Attributes): boolean {
  return (
    ['MONOCHROME1', 'MONOCHROME2'].includes(text(source, 'PhotometricInterpretation') ?? '') &&
    (number(source, 'SamplesPerPixel') ?? 1) === 1
  );
}

function reference(film: SourceReference): Dataset {
  return { ReferencedSOPClassUID: film.sopClassUid, ReferencedSOPInstanceUID: film.sopInstanceUid };
}

interface Size {
  readonly columns: number;
  readonly rows: number;
}

function filmSize(source: Attributes): Size {
  const [columns, rows] = [number(source, 'Columns') ?? 0, number(source, 'Rows') ?? 0];
  const fits = [columns, rows].every((size) => Number.isInteger(size) && size > 0 && size <= 0xffff);
  return fits ? { columns, rows } : refuse('the film does not say how large it is');
}

/**
 * Displayed Area (PS3.3 section C.10.4): the whole film, as large as the window allows. Here the top left pixel is 1\1,
 * other than in the annotations. It has an aspect ratio and no Presentation Pixel Spacing: the film's own spacing tells
 * sizes, and whether they are calibrated.
 */
function displayedArea(source: Attributes): Dataset {
  const { columns, rows } = filmSize(source);
  return {
    DisplayedAreaTopLeftHandCorner: [1, 1],
    DisplayedAreaBottomRightHandCorner: [columns, rows],
    PresentationSizeMode: 'SCALE TO FIT',
    PresentationPixelAspectRatio: pixelAspectRatio(source).map(String),
  };
}

interface Annotation {
  readonly layer: Layer;
  readonly objects: Dataset;
}

function annotationsOf({ lungOutlines, hotRegions }: PresentationContent, size: Size, shown: string): Annotation[] {
  const drawn: readonly (readonly [Layer, PresentationContent['hotRegions']])[] = [
    [LAYERS.lungs, lungOutlines],
    [LAYERS.activation, hotRegions === lungOutlines ? [] : hotRegions],
  ];
  const outlined = drawn.filter(([, outlines]) => outlines.length > 0);
  if (outlined.length === 0) refuse('there is nothing to outline');
  return [
    ...outlined.map(([layer, outlines]) => ({
      layer,
      objects: { GraphicObjectSequence: outlines.map((outline) => polyline(outline, size)) },
    })),
    {
      layer: LAYERS.note,
      objects: {
        TextObjectSequence: [
          note(
            shown,
            outlined.map(([layer]) => layer),
          ),
        ],
      },
    },
  ];
}

function polyline(outline: readonly Point[], { columns, rows }: Size): Dataset {
  const within = outline.every(([column, row]) => column >= 0 && column <= columns && row >= 0 && row <= rows);
  if (outline.length < 3 || !within) refuse('an outline is no polygon on the film');
  const points = closed(outline);
  return {
    GraphicAnnotationUnits: 'PIXEL',
    GraphicDimensions: 2,
    NumberOfGraphicPoints: points.length,
    GraphicData: points.flat(),
    GraphicType: 'POLYLINE',
    GraphicFilled: 'N',
  };
}

/** Text at the lower edge of the window, whatever part of the film is displayed there. */
function note(shown: string, layers: readonly Layer[]): Dataset {
  const activation = layers.includes(LAYERS.activation) ? `, region of greatest class activation for ${shown}` : '';
  return {
    BoundingBoxAnnotationUnits: 'DISPLAY',
    UnformattedTextValue: cut(plain(`Hilum: lungs${activation}. ${RESEARCH_USE.statement}`), 1024),
    BoundingBoxTopLeftHandCorner: [0.02, 0.92],
    BoundingBoxBottomRightHandCorner: [0.98, 0.98],
    BoundingBoxTextHorizontalJustification: 'LEFT',
  };
}

function layerItem({ name, description, colour }: Layer, order: number): Dataset {
  return {
    GraphicLayer: name,
    GraphicLayerOrder: String(order),
    GraphicLayerRecommendedDisplayGrayscaleValue: 0xffff,
    GraphicLayerRecommendedDisplayCIELabValue: colour,
    GraphicLayerDescription: clean('LO', description),
  };
}

function cieLab(lightness: number, a: number, b: number): [number, number, number] {
  return [Math.round((lightness / 100) * 0xffff), (a + 128) * 257, (b + 128) * 257];
}
