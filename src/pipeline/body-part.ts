import { type Attributes, items, type Keyword, text, texts } from '../dicom/attributes';
import { fold, wordsOf } from './body-part-words';

/** Body part of a film by all words of its header. */
export type BodyPart =
  /** The chest. */
  | { readonly verdict: 'chest' }
  /** Unknown, or the chest beside other parts: the pixels decide. */
  | { readonly verdict: 'unclear' }
  /**
   * Contradictory, the chest in one attribute and another part in another: the pixels decide, and the report has a
   * warning.
   */
  | { readonly verdict: 'conflict' }
  /** Another part. */
  | { readonly verdict: 'other'; readonly first: Named };

/** An attribute that names something else than the chest alone. */
interface Named {
  readonly where: string;
  /** The matching word only, as the rest of a free text may name the patient. */
  readonly word: string;
  /** `bones`: chest exposed for bone; `beyond`: the chest and more. */
  readonly kind: 'part' | 'spine' | 'bones' | 'beyond';
}

interface Reading {
  readonly chest: boolean;
  readonly other: Named | undefined;
}

/** Made with the first film, as it takes time and not every process reads films. */
let searches: ReturnType<typeof makeSearches> | undefined;

function makeSearches() {
  const bones = wordsOf('bones');
  return {
    chest: wordsOf('chest'),
    ofChest: wordsOf('ofChest'),
    bones,
    anyBones: new RegExp(bones.source, 'gu'),
    spine: wordsOf('spine'),
    other: wordsOf('other', 'spine'),
  };
}

/** Body parts of PS3.16 annex L inside of the chest; in a description they name no part ("heart failure"). */
const ORGANS = /^(heart|mediastinum)/;
/** Chest and abdomen or neck in one value: CHESTABDOMEN, CHESTABDPELVIS, NECKCHEST (PS3.16 annex L). */
const BEYOND = /abd|pelv|neck/;
/** Words of the list with another meaning: names of towns, and the C-arm. */
const NOT_MEANT = /(?<!\p{L})(\p{L}*chester\p{L}*|chestnut\p{L}*|c arm)(?!\p{L})/gu;

/**
 * Chest, lung and bones of the chest by code, where the meaning is in another language: SNOMED CT and its forerunner
 * SRT (PS3.16 CID 4031), plain chest film (SCT), chest films of LOINC and CPT.
 */
const CHEST_CODES: ReadonlySet<string> = new Set([
  ...['51185008', '816094009', '302551006', '39607008', '43799004', 'T-D3000', 'T-28000', '399208008', '168731009'],
  ...['30745-4', '36643-5', '36554-4', '24648-8', '42272-5', '30746-2', '71045', '71046', '71047', '71048'],
  ...['71010', '71020'],
]);
/** Other body parts that a film may show (PS3.16 CID 4031). */
const OTHER_CODES: ReadonlySet<string> = new Set([
  ...['818981001', '818983003', '113345001', '85562004', '56459004', '12738006', '69536005', '45048000', '72696002'],
  ...['24136001', '16982005', '8205005', '89546000', '70258002', '7569003', '122494005', '122495006', '122496007'],
  ...['421060004', '12921003', '76752008', '30021000', '68367000', '40983000', '14975008', '66019005', '61685007'],
  ...['53120007', 'T-D4000', 'T-D8700', 'T-D9700', 'T-D6000', 'T-D1100', 'T-D1600', 'T-11500'],
]);

/** Attributes about the film itself. */
const OF_FILM: readonly (readonly [Keyword, string])[] = [
  ['BodyPartExamined', 'body part'],
  ['AnatomicRegionSequence', 'anatomic region'],
  ['SeriesDescription', 'series description'],
  ['ProtocolName', 'protocol name'],
  ['AcquisitionDeviceProcessingDescription', 'processing description'],
  ['ViewPosition', 'view position'],
  ['ViewCodeSequence', 'view code'],
];
/** Attributes about all films of the study or the order. */
const OF_STUDY: readonly (readonly [Keyword, string])[] = [
  ['RequestedProcedureDescription', 'requested procedure'],
  ['RequestedProcedureCodeSequence', 'requested procedure'],
  ['ScheduledProcedureStepDescription', 'scheduled procedure'],
  ['PerformedProcedureStepDescription', 'performed procedure'],
  ['PerformedProtocolCodeSequence', 'performed protocol'],
  ['ProcedureCodeSequence', 'procedure code'],
  ['StudyDescription', 'study description'],
];

/**
 * Decides the body part by all words of the header. Words about the film count more than those about its study, and
 * Body Part Examined alone is not enough: in practice it is wrong in about one film of seven. Only what is clearly
 * another part is `other`.
 */
export function bodyPartOf(attributes: Attributes): BodyPart {
  const places = [attributes, ...items(attributes, 'RequestAttributesSequence')];
  const film = OF_FILM.map((place) => readAt([attributes], ...place));
  const study = OF_STUDY.map((place) => readAt(places, ...place));
  const [own, whole] = [votesOf(film), votesOf(study)];
  const [first] = [...own.others, ...whole.others];
  if (own.others.length > 0) {
    if (own.chests > 0 || own.both) return { verdict: 'conflict' };
    return contradicted(own, whole) ? { verdict: 'conflict' } : { verdict: 'other', first: own.others[0]! };
  }
  if (own.chests > 0)
    return isOnlyBodyPart(film, own) && isOther(whole) ? { verdict: 'conflict' } : { verdict: 'chest' };
  if (own.both) return { verdict: 'unclear' };
  if (whole.chests > 0) return whole.others.length > 0 ? { verdict: 'conflict' } : { verdict: 'chest' };
  return first === undefined || whole.both ? { verdict: 'unclear' } : { verdict: 'other', first };
}

interface Votes {
  /** Attributes that name only the chest. */
  readonly chests: number;
  /** Attributes that name another part and not the chest; in Body Part Examined also more than the chest. */
  readonly others: readonly Named[];
  /** An attribute names both. */
  readonly both: boolean;
}

function votesOf(readings: readonly Reading[]): Votes {
  const isOtherPart = ({ chest, other }: Reading) => other !== undefined && (!chest || other.kind === 'beyond');
  return {
    chests: readings.filter(({ chest, other }) => chest && other === undefined).length,
    others: readings.flatMap((reading) => (isOtherPart(reading) ? [reading.other!] : [])),
    both: readings.some((reading) => reading.chest && reading.other !== undefined && !isOtherPart(reading)),
  };
}

/**
 * Whether the study is of the chest alone, against the film's own words. Not if several of these agree on a part that
 * looks like a chest film, which the pixels would not tell.
 */
function contradicted({ others }: Votes, study: Votes): boolean {
  const looksAlike = others.length > 1 && others.every(({ kind }) => kind === 'bones' || kind === 'spine');
  return study.chests > 0 && study.others.length === 0 && !study.both && !looksAlike;
}

function isOnlyBodyPart([bodyPart]: readonly Reading[], own: Votes): boolean {
  return own.chests === 1 && bodyPart?.chest === true;
}

function isOther(study: Votes): boolean {
  return study.others.length > 0 && study.chests === 0 && !study.both;
}

function readAt(places: readonly Attributes[], keyword: Keyword, where: string): Reading {
  const coded = places.flatMap((place) => items(place, keyword));
  const said = places.flatMap((place) => (coded.length > 0 ? [] : texts(place, keyword)));
  const meanings = coded.map((item) => text(item, 'CodeMeaning') ?? '');
  const reading = readingOf([...said, ...meanings].join(' / '), where, keyword === 'BodyPartExamined');
  const codes = coded.flatMap((item) => text(item, 'CodeValue') ?? []);
  if (codes.some((code) => CHEST_CODES.has(code))) return { ...reading, chest: true };
  const other = codes.find((code) => OTHER_CODES.has(code));
  return other === undefined ? reading : { ...reading, other: reading.other ?? { where, word: other, kind: 'part' } };
}

/** Cache of the last readings: a site uses few descriptions, and each takes a search for hundreds of words. */
const readings = new Map<string, Reading>();
const MAX_READINGS = 1_000;

function readingOf(said: string, where: string, isBodyPart: boolean): Reading {
  const key = `${where}/${said}`;
  const known = readings.get(key);
  if (known !== undefined) return known;
  const reading = readWords(said, where, isBodyPart);
  if (readings.size >= MAX_READINGS) readings.clear();
  readings.set(key, reading);
  return reading;
}

function readWords(said: string, where: string, isBodyPart: boolean): Reading {
  const words = fold(said).replace(NOT_MEANT, ' ');
  if (!/\S/.test(words)) return { chest: false, other: undefined };
  const { chest: ofPart, ofChest, bones: ofBones, anyBones, spine, other } = (searches ??= makeSearches());
  const bones = (isBodyPart ? ORGANS : undefined)?.exec(words)?.[0] ?? ofBones.exec(words)?.[0];
  const left = words.replace(anyBones, ' ');
  const part = other.exec(left)?.[0];
  const chest = ofPart.test(left) || (part === undefined && bones === undefined && ofChest.test(words));
  if (part !== undefined) {
    const kind = isBodyPart && chest && BEYOND.test(words) ? 'beyond' : spine.test(part) ? 'spine' : 'part';
    return { chest, other: { where, word: part, kind } };
  }
  // "Ribs with chest PA" is a chest film too.
  return { chest, other: bones === undefined || chest ? undefined : { where, word: bones, kind: 'bones' } };
}
