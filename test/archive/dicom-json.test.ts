import {
  readInstanceRows,
  readSeriesRows,
  readStoreAnswer,
  readStudyRows,
  readTexts,
} from '../../src/archive/dicom-json';
import { parseUid } from '../../src/dicom/uid';

const [A, B] = [parseUid('1.2.3.1'), parseUid('1.2.3.2')];
const ui = (value: unknown) => ({ vr: 'UI', Value: [value] });
const row = (more: Record<string, unknown> = {}) => ({
  '00080016': ui('1.2.840.10008.5.1.4.1.1.1'),
  '00080018': ui('1.2.3.1'),
  '00080060': { vr: 'CS', Value: ['CR'] },
  '0020000D': ui('1.2'),
  '0020000E': ui('1.2.3'),
  ...more,
});

describe('studies and series', () => {
  test('as QIDO-RS lists them', () => {
    const study = {
      '0020000D': ui('1.2'),
      '00080020': { vr: 'DA', Value: ['20260310'] },
      '00080030': { vr: 'TM', Value: ['101530'] },
      '00080061': { vr: 'CS', Value: ['CR', 'SR'] },
      '00201208': { vr: 'IS', Value: [3] },
    };
    expect(readStudyRows([study])).toEqual([
      { studyInstanceUid: '1.2', modalities: ['CR', 'SR'], instances: 3, dateTime: '20260310101530' },
    ]);
    const series = {
      '0020000E': ui('1.2.3'),
      '00080060': { vr: 'CS', Value: ['SR'] },
      '0008103E': { vr: 'LO', Value: ['Hilum report'] },
      '00201209': { vr: 'IS', Value: ['1'] },
    };
    expect(readSeriesRows([series])).toEqual([
      { seriesInstanceUid: '1.2.3', modality: 'SR', description: 'Hilum report', instances: 1 },
    ]);
  });

  test('what a server need not tell is not known; a study without a UID is left out', () => {
    expect(
      readStudyRows([{ '0020000D': ui('1.2'), '00080061': { vr: 'CS' } }, { '0020000D': ui('Doe^Jane') }, null]),
    ).toEqual([{ studyInstanceUid: '1.2', modalities: null, instances: null, dateTime: '' }]);
    expect(readSeriesRows([{}])).toEqual([{ seriesInstanceUid: null, modality: '', description: '', instances: null }]);
  });

  test('texts by name, at the top and in the request; what is no text or empty is left out', () => {
    const tags = { view: '00185101', priority: '00401003', rows: '00280010', name: '00100010', empty: '00081030' };
    const dataset = {
      '00185101': { vr: 'CS', Value: [' AP ', null, ''] },
      '00280010': { vr: 'US', Value: [7] },
      '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Doe^Jane' }] },
      '00081030': { vr: 'LO' },
      '00401003': { vr: 'SH', Value: ['LOW'] },
      '00400275': { vr: 'SQ', Value: [{ '00401003': { vr: 'SH', Value: ['STAT'] } }, null] },
    };
    expect(readTexts(dataset, tags)).toEqual({ view: ['AP'], priority: ['LOW', 'STAT'] });
    for (const bad of [null, undefined, [], 'x', { '00185101': 'AP' }]) expect(readTexts(bad, tags)).toEqual({});
  });
});

describe('instances', () => {
  test('as QIDO-RS lists them', () => {
    expect(readInstanceRows([row()])).toEqual({
      instances: [
        {
          studyInstanceUid: '1.2',
          seriesInstanceUid: '1.2.3',
          sopInstanceUid: '1.2.3.1',
          sopClassUid: '1.2.840.10008.5.1.4.1.1.1',
          modality: 'CR',
        },
      ],
      unusable: 0,
    });
  });

  test.each([
    ['without modality', { '00080060': undefined }],
    ['with an empty modality', { '00080060': { vr: 'CS' } }],
    ['with a modality that is no text', { '00080060': { vr: 'CS', Value: [null] } }],
  ])('%s', (_name, more) => expect(readInstanceRows([row(more)]).instances[0]?.modality).toBe(''));

  test('the study of the request stands in where a row has none', () => {
    expect(readInstanceRows([row({ '0020000D': undefined })], parseUid('9.9')).instances[0]?.studyInstanceUid).toBe(
      '9.9',
    );
    expect(readInstanceRows([row({ '0020000D': undefined })])).toEqual({ instances: [], unusable: 1 });
  });

  test.each([
    [null],
    [42],
    ['row'],
    [[]],
    [row({ '00080018': ui('1.2.x') })],
    [row({ '00080016': undefined })],
    [row({ '0020000E': { vr: 'UI', Value: 'no list' } })],
  ])('a row without usable UIDs is counted: %j', (bad) => {
    expect(readInstanceRows([bad, row()])).toMatchObject({ unusable: 1, instances: [{ sopInstanceUid: '1.2.3.1' }] });
  });

  test.each([
    ['NUL', 'CR\0'],
    ['a space', 'CR '],
    ['spaces on both sides', ' CR \0 '],
    ['lower case', 'cr'],
  ])('padding of a Modality: %s', (_name, value) => {
    expect(readInstanceRows([row({ '00080060': { vr: 'CS', Value: [value] } })]).instances[0]!.modality).toBe('CR');
    expect(readSeriesRows([{ '00080060': { vr: 'CS', Value: [value] } }])[0]!.modality).toBe('CR');
  });

  test('padding of a UID, and of texts in which leading spaces count', () => {
    const padded = row({ '00080018': ui('1.2.3.1\0'), '0020000E': ui(' 1.2.3 ') });
    expect(readInstanceRows([padded]).instances).toMatchObject([
      { sopInstanceUid: '1.2.3.1', seriesInstanceUid: '1.2.3' },
    ]);
    expect(readSeriesRows([{ '0008103E': { vr: 'LO', Value: ['  Hilum report\0 '] } }])[0]!.description).toBe(
      'Hilum report',
    );
    const texts = { '00204000': { vr: 'LT', Value: ['  indented\0 '] }, '00081030': { vr: 'LO', Value: ['  not '] } };
    expect(readTexts(texts, { comment: '00204000', title: '00081030' })).toEqual({
      comment: ['  indented'],
      title: ['not'],
    });
  });

  test.each([
    [
      ['CR', 'SR'],
      ['CR', 'SR'],
    ],
    [['CR\\SR'], ['CR', 'SR']],
    [['CR/SR'], ['CR', 'SR']],
    [['CR*SR'], ['CR', 'SR']],
    [['CR, SR'], ['CR', 'SR']],
    [['CR SR'], ['CR', 'SR']],
    [
      ['cr;sr', 'CR\0'],
      ['CR', 'SR'],
    ],
    [['CT'], ['CT']],
    [[], null],
    [[''], null],
    [[' \0'], null],
    [['CRSR'], null],
    [['CT', 'XYZ'], null],
    [[null], null],
  ])('Modalities in Study %j are %j: in doubt the series are asked', (values, expected) => {
    const study = { '0020000D': ui('1.2'), '00080061': { vr: 'CS', Value: values } };
    expect(readStudyRows([study])[0]!.modalities).toEqual(expected);
  });

  test('a time without a date is no date', () => {
    const study = { '0020000D': ui('1.2'), '00080030': { vr: 'TM', Value: ['101530'] } };
    expect(readStudyRows([study])[0]!.dateTime).toBe('');
  });

  test('modalities by series', () => {
    expect(readSeriesRows([{ '0020000E': ui('1.2.3'), '00080060': { vr: 'CS', Value: ['DX '] } }])).toMatchObject([
      { seriesInstanceUid: '1.2.3', modality: 'DX' },
    ]);
  });
});

const stored = (uid: string) => ({ '00081155': ui(uid) });
const refused = (uid: string, reason?: unknown) => ({
  '00081155': ui(uid),
  ...(reason === undefined ? {} : { '00081197': { vr: 'US', Value: [reason] } }),
});
const answer = (referenced: unknown[], failed: unknown[] = []) =>
  JSON.stringify({
    '00081199': { vr: 'SQ', Value: referenced },
    '00081198': { vr: 'SQ', ...(failed.length ? { Value: failed } : {}) },
  });
const outcome = (text: string) => {
  try {
    readStoreAnswer(text, [A, B]);
    return 'stored';
  } catch (error) {
    const { code, lasting } = error as { code: string; lasting: string };
    return `${code} ${lasting}`;
  }
};

describe('the answer to a store request', () => {
  test.each([
    ['all stored', answer([stored(A), stored(B)]), 'stored'],
    ['one there already', answer([stored(A)], [refused(B, 0x0111)]), 'stored'],
    ['all there already', answer([], [refused(A, 273), refused(B, '273')]), 'stored'],
    ['named on both sides', answer([stored(A), stored(B)], [refused(B, 0x0110)]), 'stored'],
    ['out of resources', answer([stored(A)], [refused(B, 0xa700)]), 'STORE_FAILED transient'],
    ['processing failure', answer([stored(A)], [refused(B, 272)]), 'STORE_FAILED transient'],
    ['no reason given', answer([stored(A)], [refused(B)]), 'STORE_FAILED transient'],
    ['SOP class not supported', answer([stored(A)], [refused(B, 0x0122)]), 'STORE_FAILED permanent'],
    ['data set does not match', answer([], [refused(A, 0xa900), refused(B, 0xa900)]), 'STORE_FAILED permanent'],
    ['one of each', answer([], [refused(A, 0x0122), refused(B, 0xa700)]), 'STORE_FAILED transient'],
    ['one not mentioned', answer([stored(A)]), 'STORE_AMBIGUOUS ambiguous'],
    ['none mentioned', '{}', 'STORE_AMBIGUOUS ambiguous'],
    ['another one mentioned', answer([stored(A), stored('9.9')]), 'STORE_AMBIGUOUS ambiguous'],
    ['nothing', '', 'STORE_AMBIGUOUS ambiguous'],
    ['null', 'null', 'STORE_AMBIGUOUS ambiguous'],
    ['a page', '  <html>', 'STORE_AMBIGUOUS ambiguous'],
    ['XML', '<?xml version="1.0"?><NativeDicomModel/>', 'STORE_AMBIGUOUS ambiguous'],
    ['half of it', answer([stored(A), stored(B)]).slice(0, 50), 'STORE_AMBIGUOUS ambiguous'],
  ])('%s', (_name, text, expected) => expect(outcome(text)).toBe(expected));

  test('the refused are named with their reasons, and nothing else is quoted', () => {
    const text = JSON.stringify({
      '00081198': { vr: 'SQ', Value: [{ ...refused(B, 0xa700), '00100010': { Value: [{ Alphabetic: 'Doe^Jane' }] } }] },
      '00081199': { Value: [stored(A)] },
    });
    expect(() => readStoreAnswer(text, [A, B])).toThrow('the archive refused 1 object(s): 1.2.3.2 (0xA700)');
    for (const bad of [`${text.slice(0, 20)}Doe^Jane`, '<a>Doe^Jane</a>'])
      expect(() => readStoreAnswer(bad, [A, B])).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining('Doe') as string }) as Error,
      );
  });
});
