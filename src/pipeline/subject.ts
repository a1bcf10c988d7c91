import { type Attributes, items, type Keyword, text, texts } from '../dicom/attributes';
import { ageInYears } from '../dicom/patient-age';
import { fold } from './body-part-words';
import { plainRefusal } from './refusal';
import type { Refusal } from './stage';

/** Youngest patient whose films are analysed, in years: children were in the training only as films to refuse. */
export const MINIMUM_AGE = 18;

/** Homo sapiens: SNOMED CT, its forerunner SRT, NCBI taxonomy (PS3.16 CID 7454). */
const HUMAN_CODES: ReadonlySet<string> = new Set(['337915000', 'L-85B00', '9606']);
const HUMAN =
  /(?<!\p{L})(humans?|homo( sapiens)?|mensch|menschlich|humain|humano|humana|umano|mens|menneske|manniska|ihminen|czlowiek|clovek|ember|om|insan|человек|людина|人|ヒト|사람)(?!\p{L})/u;
const UNKNOWN = /^(|unknown|unspecified|other|none|n a|na|unbekannt|inconnu|desconocido)$/;

/** Phantom (SCT). */
const PHANTOM_CODE = '706342009';
const PHANTOM =
  /(?<!\p{L})(ph?antom[aesy]?|fantomes?|fantomas?|test pattern|test image|tg qc|flat field|quality (control|assurance)|qa qc|qc|qualitatskontrolle|konstanzprufung|konstanzpruefung|controle( de)? qualite|control de calidad|controle de qualidade|controllo (di )?qualita)(?! limb| pain)(?!\p{L})/u;
/** Test patterns of the AAPM's task groups 18 and 270; "TG" alone has other meanings. */
const TEST_PATTERN = /(?<![a-z])tg[ _-]?(18|270)(?!\d)/i;
const DESCRIBED: readonly Keyword[] = [
  'BodyPartExamined',
  'SeriesDescription',
  'ProtocolName',
  'StudyDescription',
  'RequestedProcedureDescription',
  'PerformedProcedureStepDescription',
];
const NAMED_PHANTOM = /(?<!\p{L})phantom(?!\p{L})/u;

/** Refuses images without a patient: Quality Control Image (0028,0300), or a word or code for a phantom. */
export function checkQuality(attributes: Attributes): Refusal | null {
  const marked = /^Y/i.test(text(attributes, 'QualityControlImage') ?? '');
  const regions = items(attributes, 'AnatomicRegionSequence').flatMap((item) => texts(item, 'CodeValue'));
  const described = DESCRIBED.flatMap((keyword) => texts(attributes, keyword)).some(
    (said) => TEST_PATTERN.test(said) || PHANTOM.test(fold(said)),
  );
  const named = [text(attributes, 'PatientName'), text(attributes, 'PatientID')].some((name) =>
    NAMED_PHANTOM.test(fold(name ?? '')),
  );
  if (!marked && !described && !named && !regions.includes(PHANTOM_CODE)) return null;
  return plainRefusal('quality-control-image');
}

/**
 * Refuses animals, by the attributes of PS3.3 section C.7.1.1 for them: a species that is not human, a breed, four
 * legs, an owner.
 */
export function checkSpecies(attributes: Attributes): Refusal | null {
  return isAnimal(attributes) ? plainRefusal('not-human') : null;
}

function isAnimal(attributes: Attributes): boolean {
  const species = items(attributes, 'PatientSpeciesCodeSequence');
  const codes = species.flatMap((item) => texts(item, 'CodeValue'));
  const meanings = species.flatMap((item) => texts(item, 'CodeMeaning'));
  const described = [...meanings, ...texts(attributes, 'PatientSpeciesDescription')].map(fold);
  if (codes.some((code) => HUMAN_CODES.has(code)) || described.some((said) => HUMAN.test(said))) return false;
  return (
    described.some((said) => !UNKNOWN.test(said)) ||
    codes.length > 0 ||
    texts(attributes, 'PatientBreedDescription').some((said) => !UNKNOWN.test(fold(said))) ||
    items(attributes, 'PatientBreedCodeSequence').length > 0 ||
    text(attributes, 'AnatomicalOrientationType')?.toUpperCase() === 'QUADRUPED' ||
    text(attributes, 'ResponsiblePersonRole')?.toUpperCase() === 'OWNER'
  );
}

/** Refuses patients below `minimumAge` (years; 0 accepts every age). A film without an age is accepted. */
export function checkAge(attributes: Attributes, minimumAge: number): Refusal | null {
  const age = minimumAge > 0 ? ageInYears(attributes) : undefined;
  if (age === undefined || age >= minimumAge) return null;
  return {
    reason: 'below-minimum-age',
    text: `the patient was younger than ${minimumAge} years; the models are not made for younger patients`,
  };
}
