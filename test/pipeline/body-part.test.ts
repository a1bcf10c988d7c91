import { readFileSync } from 'node:fs';
import type { Attributes } from '../../src/dicom/attributes';
import { bodyPartOf } from '../../src/pipeline/body-part';
import { BODY_PART_WORDS, fold } from '../../src/pipeline/body-part-words';

const verdict = (attributes: Attributes) => bodyPartOf(attributes).verdict;

test.each([
  ...[
    'PORT CHEST',
    'AP CHEST',
    'CXR',
    'THX',
    'TORAX',
    '2- TORAX',
    'THORAX AP',
    'CHEST',
    'chest_pa',
    'CHESTPA',
    'PACHEST',
  ],
  ...[
    'CHEST PORTABLE 1V',
    'XR CHEST 2 VIEWS',
    'T?RAX',
    'TÓRAX',
    'TÃ\u0093RAX',
    'TORACE',
    'RX TORACE',
    'Rx de tórax PA y lateral',
  ],
  ...['Thorax p.a.', 'Rö-Thorax', 'Lunge', 'Herz/Lunge', 'Radiographie pulmonaire', 'Radio thoracique', 'poumons'],
  ...['Raio-X de tórax', 'pulmões', 'X-thorax', 'longfoto', 'Röntgen lungor', 'Lunger', 'Keuhkokuva', 'thorax-röntgen'],
  ...['RTG klatki piersiowej', 'Płuca', 'RTG hrudníku', 'plíce', 'Mellkas', 'Cord-pulmon', 'AKCİĞER GRAFİSİ', 'PA AC'],
  ...[
    'Θώρακας',
    'Рентгенография органов грудной клетки',
    'ОГК',
    'Лёгкие',
    'Легені',
    'Бял дроб',
    'pluća i srce',
    'الصدر',
  ],
  ...[
    'חזה',
    'בית החזה',
    '胸部',
    '胸部単純',
    '胸片',
    '正位胸片',
    '흉부',
    'ทรวงอก',
    'Tim phổi',
    'X-quang ngực',
    'Foto dada',
    'Toraks',
  ],
  ...['chest tube placement', 'r/o pneumothorax', 'Chest pain, CHEST PA', 'Ribs with PA chest', 'THORAX RIPPEN'],
])('%s: a chest film, wherever it stands', (said) => {
  expect(verdict({ BodyPartExamined: said })).toBe('chest');
  expect(verdict({ SeriesDescription: said })).toBe('chest');
  expect(verdict({ RequestAttributesSequence: [{ RequestedProcedureDescription: said }] })).toBe('chest');
});

test.each([
  ...[
    'HAND',
    'SKULL',
    'ABDOMEN',
    'KUB',
    'C-SPINE',
    'TSPINE',
    'thoracic spine',
    'THORACOLUMBAR SPINE',
    'T-Spine AP',
    'KNEES',
  ],
  ...[
    'BWS',
    'Brustwirbelsäule',
    'Wirbelsäule thorakal',
    'Hüfte',
    'Schädel',
    'Rachis dorsal',
    'rachis thoracique',
    'genou droit',
  ],
  ...[
    'Columna torácica',
    'RODILLA',
    'Coluna torácica',
    'JOELHO',
    'Rachide toracico',
    'GINOCCHIO',
    'knieën',
    'knæ',
    'polvi',
  ],
  ...['Kręgosłup piersiowy', 'kolano', 'hrudní páteř', 'térd', 'coloana toracală', 'torakal vertebra', 'diz', 'Γόνατο'],
  ...[
    'Грудной отдел позвоночника',
    'коленный сустав',
    '胸椎',
    '膝関節',
    '흉추',
    '무릎',
    'ركبة',
    'ברך',
    'เข่า',
    'khớp gối',
    'lutut',
  ],
  ...[
    'RIBS',
    'Gril costal',
    'knöcherner Thorax',
    'Hemithorax rechts',
    'parrilla costal',
    'żebra',
    '肋骨',
    '胸骨',
    'Manchester hand',
  ],
])('%s: clearly another part', (said) => {
  expect(verdict({ BodyPartExamined: said })).toBe('other');
  expect(verdict({ SeriesDescription: said })).toBe('other');
  expect(verdict({ StudyDescription: said })).toBe('other');
});

test.each([
  '',
  'UNKNOWN',
  'OTHER',
  'N/A',
  'XYZ',
  'Manchester Royal',
  'C-ARM',
  'Shipping handover',
  'chest and abdomen',
])('%s: unclear, the picture decides', (said) => {
  expect(verdict({ SeriesDescription: said })).toBe('unclear');
});

test.each<[string, Attributes]>([
  [
    'only the body part says skull',
    { BodyPartExamined: 'SKULL', SeriesDescription: 'Chest PA', StudyDescription: 'XR CHEST' },
  ],
  ['only the study says chest', { BodyPartExamined: 'SKULL', StudyDescription: 'XR CHEST 1 VIEW' }],
  ['only the order says chest', { BodyPartExamined: 'ABDOMEN', ProcedureCodeSequence: [{ CodeValue: '71045' }] }],
  ['body part chest, the series a hand', { BodyPartExamined: 'CHEST', SeriesDescription: 'Hand PA' }],
  ['body part chest, the study a hand', { BodyPartExamined: 'CHEST', StudyDescription: 'XR HAND' }],
  [
    'region and series disagree',
    { AnatomicRegionSequence: [{ CodeValue: '85562004', CodeMeaning: 'Hand' }], SeriesDescription: 'Chest' },
  ],
])('%s: the picture decides, and a reader is told', (_, attributes) => {
  expect(verdict(attributes)).toBe('conflict');
});

test.each<[string, Attributes, string]>([
  [
    'the film is one part of a study of both',
    { BodyPartExamined: 'ABDOMEN', StudyDescription: 'Acute abdomen with chest' },
    'other',
  ],
  ['the other part of it', { BodyPartExamined: 'CHEST', StudyDescription: 'Acute abdomen series with chest' }, 'chest'],
  [
    'before an operation',
    { BodyPartExamined: 'CHEST', SeriesDescription: 'CHEST PA', StudyDescription: 'Hip' },
    'chest',
  ],
  [
    'a spine in a study of the chest, said twice',
    { BodyPartExamined: 'TSPINE', SeriesDescription: 'T-SPINE AP', StudyDescription: 'CHEST' },
    'other',
  ],
  ['chest by code', { AnatomicRegionSequence: [{ CodeValue: '51185008', CodeMeaning: 'xyz' }] }, 'chest'],
  ['another part by code', { AnatomicRegionSequence: [{ CodeValue: '72696002', CodeMeaning: 'xyz' }] }, 'other'],
  ['the view of a skull', { ViewPosition: 'TOWNE' }, 'other'],
])('%s', (_, attributes, expected) => {
  expect(verdict(attributes)).toBe(expected);
});

test('a very long description is judged quickly', () => {
  const started = Date.now();
  for (const part of ['chest ', 'грудн ', 'kl ', 'a', '胸'])
    expect(verdict({ SeriesDescription: part.repeat(100_000) })).toBeDefined();
  expect(Date.now() - started).toBeLessThan(2_000);
});

test('the languages are those of docs/conformance.md', () => {
  const page = readFileSync('docs/conformance.md', 'utf8').split('| languages |')[1]!;
  const listed = page.split('\n').slice(2).join('\n').split('\n\n')[0]!;
  expect([...listed.matchAll(/^\| (.+) \|$/gm)].map((match) => match[1])).toEqual(Object.keys(BODY_PART_WORDS));
});

test('folding takes accents, case and signs away', () => {
  expect(fold('2- TÓRAX_ap/Łuk')).toBe('torax ap luk');
});
