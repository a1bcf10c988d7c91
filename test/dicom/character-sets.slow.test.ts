import type { Attributes } from '../../src/dicom/attributes';
import { readPart10 } from '../../src/dicom/read';
import { buildParametricMap } from '../../src/objects/parametric-map';
import { buildPresentationState } from '../../src/objects/presentation-state';
import { buildSecondaryCapture } from '../../src/objects/secondary-capture';
import { buildSegmentation } from '../../src/objects/segmentation';
import { buildStructuredReport } from '../../src/objects/structured-report';
import { writePart10 } from '../../src/objects/write';
import { ellipse, IDENTITY } from '../support/broker/outcomes';
import { dicomFile, filmElements, type FixtureElement } from '../support/films/dicom-fixture';
import { covid } from '../support/records/finding';
import { dcmdump, pydicomAll } from '../support/servers/judges';

const ESC = '\x1b';
const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))));

/** Names as modalities write them, some from the examples of PS3.5 annexes H to K. */
const NAMES: readonly (readonly [set: string, written: Buffer, name: string])[] = [
  ['ISO_IR 100', bytes('Buc^J', [0xe9], 'r', [0xf4], 'me'), 'Buc^Jérôme'],
  ['ISO_IR 101', bytes('Wa', [0xb3, 0xea], 'sa^Lech'), 'Wałęsa^Lech'],
  ['ISO_IR 109', bytes([0xc5], 'etta'), 'Ċetta'],
  ['ISO_IR 110', bytes([0xc0], 'boli', [0xf2], [0xb9]), 'Āboliōš'],
  ['ISO_IR 144', bytes([0xbb, 0xee, 0xda], 'ceb', [0xd3]), 'Люкcebг'],
  ['ISO_IR 127', bytes([0xe2, 0xc8, 0xc7, 0xe6, 0xea], '^', [0xe4, 0xe6, 0xd2, 0xc7, 0xd1]), 'قباني^لنزار'],
  ['ISO_IR 126', bytes([0xc4, 0xe9, 0xef, 0xed, 0xf5, 0xf3, 0xe9, 0xef, 0xf2]), 'Διονυσιος'],
  ['ISO_IR 138', bytes([0xf9, 0xf8, 0xe5, 0xef], '^', [0xe3, 0xe1, 0xe5, 0xf8, 0xe4]), 'שרון^דבורה'],
  ['ISO_IR 148', bytes([0xc7], 'avu', [0xfe], 'o', [0xf0], 'lu'), 'Çavuşoğlu'],
  ['ISO_IR 203', bytes('B', [0xbd], 'uf'), 'Bœuf'],
  ['ISO_IR 166', bytes([0xa1, 0xa2]), 'กข'],
  ['ISO_IR 13', bytes([0xd4, 0xcf, 0xc0, 0xde], '^', [0xc0, 0xdb, 0xb3]), 'ﾔﾏﾀﾞ^ﾀﾛｳ'],
  ['ISO_IR 192', Buffer.from('Wang^XiaoDong=王^小东=', 'utf8'), 'Wang^XiaoDong=王^小东'],
  ['GB18030', bytes('Wang^XiaoDong=', [0xcd, 0xf5], '^', [0xd0, 0xa1, 0xb6, 0xab]), 'Wang^XiaoDong=王^小东'],
  ['GBK', bytes('Wang^XiaoDong=', [0xcd, 0xf5], '^', [0xd0, 0xa1, 0xb6, 0xab]), 'Wang^XiaoDong=王^小东'],
  [
    '\\ISO 2022 IR 58',
    bytes('Zhang^XiaoDong=', `${ESC}$)A`, [0xd5, 0xc5], '^', `${ESC}$)A`, [0xd0, 0xa1, 0xb6, 0xab]),
    'Zhang^XiaoDong=张^小东',
  ],
  ['\\ISO 2022 IR 87', bytes('Yamada^Tarou=', `${ESC}$B;3ED${ESC}(B^${ESC}$BB@O:${ESC}(B`), 'Yamada^Tarou=山田^太郎'],
  ['ISO 2022 IR 13\\ISO 2022 IR 87', bytes([0xd4, 0xcf, 0xc0, 0xde], '=', `${ESC}$B;3ED${ESC}(J`), 'ﾔﾏﾀﾞ=山田'],
  ['\\ISO 2022 IR 159', bytes('A=', `${ESC}$(D0!${ESC}(B`), 'A=丂'],
  // All three groups; and none in the first, where the separators keep the others in their place.
  [
    '\\ISO 2022 IR 87',
    bytes('Yamada^Tarou=', `${ESC}$B;3ED${ESC}(B^${ESC}$BB@O:${ESC}(B=${ESC}$B$d$^$@${ESC}(B^${ESC}$B$?$m$&${ESC}(B`),
    'Yamada^Tarou=山田^太郎=やまだ^たろう',
  ],
  [
    'ISO 2022 IR 13\\ISO 2022 IR 87',
    bytes(
      [0xd4, 0xcf, 0xc0, 0xde],
      '^',
      [0xc0, 0xdb, 0xb3],
      `=${ESC}$B;3ED${ESC}(J^${ESC}$BB@O:${ESC}(J=${ESC}$B$d$^$@${ESC}(J^${ESC}$B$?$m$&${ESC}(J`,
    ),
    'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう',
  ],
  ['\\ISO 2022 IR 87', bytes(`=${ESC}$B;3ED${ESC}(B^${ESC}$BB@O:${ESC}(B`), '=山田^太郎'],
  [
    '\\ISO 2022 IR 149',
    bytes(
      'Hong^Gildong=',
      `${ESC}$)C`,
      [0xfb, 0xf3],
      '^',
      `${ESC}$)C`,
      [0xd1, 0xce, 0xd4, 0xd7],
      '=',
      `${ESC}$)C`,
      [0xc8, 0xab],
      '^',
      `${ESC}$)C`,
      [0xb1, 0xe6, 0xb5, 0xbf],
    ),
    'Hong^Gildong=洪^吉洞=홍^길동',
  ],
  [
    '\\ISO 2022 IR 149',
    bytes('Hong^Gildong=', `${ESC}$)C`, [0xfb, 0xf3], '^', `${ESC}$)C`, [0xd1, 0xce, 0xd4, 0xd7]),
    'Hong^Gildong=洪^吉洞',
  ],
  ...(
    [
      ['100', '-A', [0xe9], 'é'],
      ['101', '-B', [0xb3], 'ł'],
      ['109', '-C', [0xc5], 'Ċ'],
      ['110', '-D', [0xc0], 'Ā'],
      ['144', '-L', [0xbb], 'Л'],
      ['127', '-G', [0xe2], 'ق'],
      ['126', '-F', [0xc4], 'Δ'],
      ['138', '-H', [0xf9], 'ש'],
      ['148', '-M', [0xfe], 'ş'],
      ['203', '-b', [0xbd], 'œ'],
      ['166', '-T', [0xa1], 'ก'],
      ['13', ')I', [0xd4], 'ﾔ'],
    ] as const
  ).map(
    ([number, escape, code, letter]) =>
      [
        `ISO 2022 IR 6\\ISO 2022 IR ${number}`,
        bytes(`${ESC}${escape}`, [...code], `${ESC}(B`, 'x'),
        `${letter}x`,
      ] as const,
  ),
];

const SIZE = { rows: 8, columns: 8 };

function filmWith(set: string, texts: readonly FixtureElement[]): Attributes {
  return readPart10(dicomFile([...filmElements({ ...SIZE, more: texts }), [0x00080005, 'CS', set]])).attributes;
}

const patient = (set: string, written: Buffer) =>
  filmWith(set, [
    [0x00100010, 'PN', written],
    [0x00080090, 'PN', written],
  ]);

const GRID = { rows: 1, columns: 2, values: [0, 1] };

function objectsOf(source: Attributes): Uint8Array[] {
  const region = ellipse(4, 4, 2, 2);
  return [
    buildSecondaryCapture(source, { rows: 1, columns: 1, rgb: new Uint8Array(3) }, IDENTITY),
    buildStructuredReport(
      source,
      {
        outcome: 'analysed',
        view: 'frontal',
        findings: [{ finding: covid(0.9), region }],
        lungFraction: 0.3,
        objects: ['heatMap'],
      },
      IDENTITY,
    ),
    buildPresentationState(source, { lungOutlines: [region], hotRegions: [region] }, IDENTITY)!,
    buildSegmentation(source, { rows: 8, columns: 8, mask: GRID }, IDENTITY),
    buildParametricMap(source, GRID, IDENTITY),
  ].map(writePart10);
}

test.each(NAMES.map(([set, written, name]) => [set, written, name] as const))(
  'a name in %s is the same name in our results, for another reader',
  (set, written, name) => {
    const objects = objectsOf(patient(set, written));
    const readings = pydicomAll(objects);
    expect(readings).toHaveLength(5);
    for (const reading of readings)
      expect(reading).toMatchObject({
        PatientName: name,
        ReferringPhysicianName: name,
        SpecificCharacterSet: 'ISO_IR 192',
      });
    for (const { text, errors } of objects.map(dcmdump)) {
      expect(errors).toEqual([]);
      expect(/\(0010,0010\) PN \[(.*?) *\]/.exec(text)?.[1]).toBe(name);
    }
  },
);

test('text beside names, too', () => {
  const source = filmWith('ISO_IR 144', [[0x00081030, 'LO', Buffer.from([0xc1, 0xdd, 0xd8, 0xdc, 0xde, 0xda])]]);
  for (const reading of pydicomAll(objectsOf(source))) expect(reading.StudyDescription).toBe('Снимок');
});
