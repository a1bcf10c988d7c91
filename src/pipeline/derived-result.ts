import { type Attributes, items, type Keyword, text, texts } from '../dicom/attributes';
import type { GrayFilm } from '../dicom/pixels';
import { isSecondaryCapture } from '../dicom/sop-class';
import { fold } from './body-part-words';
import { plainRefusal } from './refusal';
import type { Refusal } from './stage';

const DERIVED = plainRefusal('derived-result');

/** Attributes that name the maker of an image and its method. */
const MAKERS: readonly Keyword[] = ['Manufacturer', 'ManufacturerModelName'];
const DESCRIPTIONS: readonly Keyword[] = ['SeriesDescription', 'ImageType', 'DerivationDescription', 'ImageComments'];
const EQUIPMENT: readonly Keyword[] = [...MAKERS, 'ContributionDescription'];

/** Words for algorithms, and names of products for chest films. */
const ALGORITHM =
  /(?<!\p{L})(ai|cade|cadx|cad|cadt|artificial intelligence|deep learning|machine learning|neural network|algorithm result|heat ?maps?|saliency( map)?|grad ?cam|activation map|probability map|overlay|bone suppress(ed|ion)|lunit|annalise|qure|qure ai|qxr|oxipit|chesteye|gleamer|boneview|chestview|milvue|azmed|rayvolve|vuno|deeptek|aidoc|clearread|riverain|delft imaging|cad4tb|cad4covid|infervision|inferread|rayscape|radiobotics|behold ai|ai rad companion|critical care suite|hilum chest film triage)(?!\p{L})/u;

/**
 * Refuses an image that another product derived from a film: it is no acquisition (Image Type DERIVED\\SECONDARY, PS3.3
 * section C.7.6.1.1.2, or a Secondary Capture that is not called original), and its equipment or description names an
 * algorithm. Films that were processed at a workstation (DERIVED\\PRIMARY) or captured by a digitiser are accepted.
 */
export function checkDerived(attributes: Attributes): Refusal | null {
  if (!isSecondary(attributes)) return null;
  const equipment = items(attributes, 'ContributingEquipmentSequence');
  const said = [
    ...[...MAKERS, ...DESCRIPTIONS].flatMap((keyword) => texts(attributes, keyword)),
    ...equipment.flatMap((item) => EQUIPMENT.flatMap((keyword) => texts(item, keyword))),
    ...items(attributes, 'DerivationCodeSequence').flatMap((item) => texts(item, 'CodeMeaning')),
  ];
  return ALGORITHM.test(said.map(fold).join(' / ')) ? DERIVED : null;
}

/** Refuses a derived image that shows colours; a grey film stored as RGB shows none. */
export function checkDerivedColour(attributes: Attributes, image: Pick<GrayFilm, 'coloured'>): Refusal | null {
  return image.coloured === true && typeOf(attributes)[0] === 'DERIVED' ? DERIVED : null;
}

function isSecondary(attributes: Attributes): boolean {
  const [pixels, acquisition] = typeOf(attributes);
  if (acquisition === 'PRIMARY' || pixels === 'ORIGINAL') return false;
  return pixels === 'DERIVED' || isSecondaryCapture(text(attributes, 'SOPClassUID') ?? '');
}

function typeOf(attributes: Attributes): string[] {
  return texts(attributes, 'ImageType').map((value) => value.toUpperCase());
}
