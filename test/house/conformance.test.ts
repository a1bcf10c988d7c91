import dcmjs from 'dcmjs';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { dicomWebArchive } from '../../src/archive/dicomweb';
import type { Attributes } from '../../src/dicom/attributes';
import { decodeText, REGISTRATIONS } from '../../src/dicom/charset';
import { decodePixels } from '../../src/dicom/pixels';
import { readPart10 } from '../../src/dicom/read';
import { parseUid } from '../../src/dicom/uid';
import { CODES, MODALITY_CODES } from '../../src/objects/codes';
import { encode } from '../../src/pipeline/encode';
import { analysed, BARE_FILM, IDENTITY, notAnalysed } from '../support/broker/outcomes';
import { dicomFile, filmElements } from '../support/films/dicom-fixture';
import { COVID } from '../support/records/finding';

const ROOT = resolve(__dirname, '../..');
const DOC = readFileSync(join(ROOT, 'docs/conformance.md'), 'utf8');

/**
 * Rows of the first table below a heading, without its head, each as its trimmed cells; with `first`, of the first
 * table whose head begins so.
 */
function table(heading: string, first?: string): string[][] {
  const at = DOC.indexOf(`\n${heading}\n`);
  if (at < 0) throw new Error(`no heading ${heading}`);
  const lines = DOC.slice(at + 1)
    .split('\n')
    .slice(1);
  const start = lines.findIndex((line) => line.startsWith(first === undefined ? '|' : `| ${first} |`));
  const rows = lines.slice(start + 2);
  const end = rows.findIndex((line) => !line.startsWith('|'));
  return rows.slice(0, end < 0 ? undefined : end).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

const column = (rows: readonly string[][], index: number) => rows.map((row) => row[index]!);
const sorted = (values: Iterable<string>) => [...new Set(values)].sort();

describe('what is read', () => {
  const rows = table('## What is read');

  test.each(rows)('%s: each test that the row names is there', (_what, _does, tests) => {
    const named = [...tests.matchAll(/`(test\/[^`]+)`: ((?:"[^"]+"(?:, )?)+)/g)];
    expect(named.length).toBeGreaterThan(0);
    for (const [, file, names] of named) {
      expect(existsSync(join(ROOT, file!))).toBe(true);
      const code = readFileSync(join(ROOT, file!), 'utf8').replace(/\\'/g, "'");
      for (const [, name] of names!.matchAll(/"([^"]+)"/g))
        expect({ file, name, found: code.includes(name!) }).toEqual({ file, name, found: true });
    }
  });

  test('the whole list is there', () => {
    expect(rows.length).toBeGreaterThan(35);
  });
});

test('transfer syntaxes: those of the table are read, and of all others that there are, none', async () => {
  const numbered = (prefix: string, from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, i) => `${prefix}${from + i}`);
  const candidates = [
    '1.2.840.10008.1.2',
    '1.2.840.10008.1.2.1',
    '1.2.840.10008.1.2.1.98',
    '1.2.840.10008.1.2.1.99',
    '1.2.840.10008.1.2.2',
    '1.2.840.10008.1.2.5',
    '1.2.840.10008.1.2.6.1',
    '1.2.840.10008.1.2.8.1',
    ...numbered('1.2.840.10008.1.2.4.', 50, 130),
    ...numbered('1.2.840.10008.1.2.4.', 201, 206),
    ...numbered('1.2.840.10008.1.2.7.', 1, 3),
  ];
  const isRead = async (syntax: string) => {
    const film = dicomFile([...filmElements(), [0x7fe00010, 'OW', Buffer.from('no picture')]], syntax);
    const failure = await decodePixels(readPart10(film)).then(
      () => '',
      (error: unknown) => (error as Error).message,
    );
    return !failure.includes('is not supported');
  };
  const read: string[] = [];
  for (const syntax of candidates) if (await isRead(syntax)) read.push(syntax);
  expect(read.sort()).toEqual(sorted(column(table('### 1.2 Transfer syntaxes'), 0)));
});

/** The least film of which every kind of object is written. */
const GREY_FILM: Attributes = {
  ...BARE_FILM,
  SamplesPerPixel: 1,
  PhotometricInterpretation: 'MONOCHROME2',
  Rows: 150,
  Columns: 200,
};

/** Everything that a film can hand on. */
const FULL: Attributes = {
  ...GREY_FILM,
  PatientName: 'A^B',
  PatientID: '1',
  PatientSex: 'F',
  PatientBirthDate: '19400305',
  PatientBirthTime: '1200',
  PatientAge: '064Y',
  PatientSize: 1.7,
  PatientWeight: 70,
  IssuerOfPatientID: 'W',
  AdmissionID: 'A',
  StudyDate: '20240101',
  StudyTime: '1200',
  StudyID: 'S',
  StudyDescription: 'Thorax',
  AccessionNumber: 'A1',
  ReferringPhysicianName: 'H^G',
  InstitutionName: 'I',
  InstitutionalDepartmentName: 'D',
  TimezoneOffsetFromUTC: '+0100',
  PatientOrientation: ['L', 'F'],
  LossyImageCompression: '01',
  LossyImageCompressionRatio: 10,
  LossyImageCompressionMethod: 'ISO_15444_1',
  IssuerOfAccessionNumberSequence: [{ LocalNamespaceEntityID: 'RIS' }],
  IssuerOfPatientIDQualifiersSequence: [{ UniversalEntityID: '1.2.3', UniversalEntityIDType: 'ISO' }],
  IssuerOfAdmissionIDSequence: [{ LocalNamespaceEntityID: 'ADT' }],
  OtherPatientIDsSequence: [{ PatientID: '2', TypeOfPatientID: 'TEXT' }],
  RescaleSlope: 1,
  RescaleIntercept: 0,
  WindowCenter: 100,
  WindowWidth: 200,
  ShutterShape: ['RECTANGULAR', 'CIRCULAR', 'POLYGONAL'],
  ShutterLeftVerticalEdge: 1,
  ShutterRightVerticalEdge: 200,
  ShutterUpperHorizontalEdge: 1,
  ShutterLowerHorizontalEdge: 150,
  CenterOfCircularShutter: [75, 100],
  RadiusOfCircularShutter: 70,
  VerticesOfThePolygonalShutter: [1, 1, 1, 200, 150, 200],
  ShutterPresentationValue: 0,
};

/** A Modality LUT takes the place of the rescale. */
const WITH_LUT: Attributes = {
  ...FULL,
  ModalityLUTSequence: [{ LUTDescriptor: [2, 0, 16], LUTData: [0, 1], ModalityLUTType: 'US' }],
};

/** One line for each kind of result: the heading of its table, its SOP Classes. */
const OBJECTS: readonly (readonly [heading: string, classes: readonly string[]])[] = [
  ['### A.2 Secondary Capture', ['1.2.840.10008.5.1.4.1.1.7']],
  [
    '### A.3 Comprehensive 3D SR and Comprehensive SR',
    ['1.2.840.10008.5.1.4.1.1.88.34', '1.2.840.10008.5.1.4.1.1.88.33'],
  ],
  ['### A.5 Segmentation', ['1.2.840.10008.5.1.4.1.1.66.4']],
  ['### A.6 Parametric Map', ['1.2.840.10008.5.1.4.1.1.30']],
  ['### A.7 Grayscale Softcopy Presentation State', ['1.2.840.10008.5.1.4.1.1.11.1']],
];

const EVERYTHING = {
  ...IDENTITY,
  objects: { heatMap: true, segmentation: true, parametricMap: true, presentationState: true },
};
const written = (source: Attributes) =>
  [EVERYTHING, { ...EVERYTHING, srClass: 'comprehensive' as const }].flatMap((identity) => [
    ...encode(analysed(source), identity),
    ...encode(notAnalysed(source), identity),
  ]);

test('SOP Classes: what is written is in the table, and what is in the table is written', () => {
  const listed = column(table('### 1.1 SOP Classes'), 1);
  expect(sorted(written(GREY_FILM).map(({ sopClassUid }) => sopClassUid))).toEqual(sorted(listed));
  expect(sorted(OBJECTS.flatMap(([, classes]) => classes))).toEqual(sorted(listed));
});

describe.each(OBJECTS)('%s', (heading, classes) => {
  const rows = [...table('### A.1 All results'), ...table(heading)];
  const attributesOf = (source: Attributes): string[][] =>
    written(source)
      .filter(({ sopClassUid }) => classes.includes(sopClassUid))
      .map(({ bytes }) => {
        const { attributes, pixelData } = readPart10(bytes);
        return sorted([...Object.keys(attributes), ...(pixelData ? ['PixelData'] : [])]);
      });

  test('a film with everything: each attribute of the object is in the tables, each of the tables in the object', () => {
    const [full, withLut] = [attributesOf(FULL), attributesOf(WITH_LUT)];
    expect(full.length).toBeGreaterThan(0);
    full.forEach((attributes, i) => expect(sorted([...attributes, ...withLut[i]!])).toEqual(sorted(column(rows, 0))));
  });

  test('a film with nothing: what is there only with a value is not there', () => {
    for (const attributes of attributesOf(GREY_FILM))
      expect(attributes).toEqual(
        sorted(
          column(
            rows.filter(([, , , presence]) => presence !== 'ANAP'),
            0,
          ),
        ),
      );
  });

  test('tags and value representations are those of the data dictionary, and no attribute is private', () => {
    for (const [keyword, tag, vr] of rows)
      expect(dcmjs.data.DicomMetaDictionary.nameMap[keyword!]).toMatchObject({ tag, vr });
  });

  test('presence and source are words of the key', () => {
    expect(sorted(column(rows, 3)).filter((word) => !['ALWAYS', 'VNAP', 'ANAP', 'EMPTY'].includes(word))).toEqual([]);
    expect(sorted(column(rows, 4)).filter((word) => !['copied', 'generated', 'fixed'].includes(word))).toEqual([]);
  });
});

test('character sets: the registered ones of the code, and the two of China', () => {
  const rows = table('## 6 Character sets');
  const terms = rows.flatMap(([alone, extended]) => [alone!, extended!]).filter((term) => term !== '');
  expect(sorted(terms.flatMap((term) => /IR (\d+)$|_IR (\d+)$/.exec(term)?.slice(1).filter(Boolean) ?? []))).toEqual(
    [...REGISTRATIONS].sort(),
  );
  const others = terms.filter((term) => !term.startsWith('ISO'));
  expect(others).toEqual(['GB18030', 'GBK']);
  for (const term of others) expect(decodeText(Uint8Array.of(0xcd, 0xf5), [term])).toBe('王');
});

test('terminology: every concept that is written is in the table, and no other', () => {
  const ours = [...Object.values(CODES), ...Object.values(MODALITY_CODES), COVID.code];
  expect(sorted(table('## Annex C Terminology and templates').map((row) => row.join(' | ')))).toEqual(
    sorted(ours.map(({ value, scheme, meaning }) => `${value} | ${scheme} | ${meaning}`)),
  );
});

/** Notes which of its methods are called. */
function recording<T extends object>(target: T, called: Set<string>): T {
  return new Proxy(target, {
    get(object, name) {
      called.add(String(name));
      return Reflect.get(object, name) as unknown;
    },
  });
}

describe('requests', () => {
  let server: Server;
  const seen: string[] = [];
  const path = {
    studyInstanceUid: parseUid('1.2.3'),
    seriesInstanceUid: parseUid('1.2.3.4'),
    sopInstanceUid: parseUid('1.2.3.4.5'),
  };
  const NAMES: readonly (readonly [RegExp, string])[] = [
    [/\/studies\/[\d.]+/, '/studies/{study}'],
    [/\/series\/[\d.]+/, '/series/{series}'],
    [/\/instances\/[\d.]+/, '/instances/{instance}'],
    [/limit=\d+/, 'limit={limit}'],
    [/offset=\d+/, 'offset={offset}'],
    [/StudyDate=\d+-\d+/, 'StudyDate={date}-{date}'],
    [/StudyTime=\d+-\d+/, 'StudyTime={time}-{time}'],
    [/StudyInstanceUID=[\d.]+/, 'StudyInstanceUID={study}'],
  ];
  const INSTANCE = {
    '00080016': { vr: 'UI', Value: ['1.2'] },
    '00080018': { vr: 'UI', Value: [path.sopInstanceUid] },
    '0020000E': { vr: 'UI', Value: [path.seriesInstanceUid] },
  };

  /** The server holds back an instance of the study. */
  let isCut = false;

  beforeAll(async () => {
    server = createServer((request, response) => {
      request.resume();
      const url = NAMES.reduce(
        (text, [form, name]) => text.replace(form, name),
        request.url!.replace('/dicom-web', ''),
      );
      seen.push([`${request.method} ${url}`, request.headers.accept].join(' :: '));
      const answer = /\/(instances\?|metadata$)/.test(url)
        ? [INSTANCE]
        : isCut && url.includes('includefield=00201206')
          ? [{ '0020000D': { vr: 'UI', Value: [path.studyInstanceUid] }, '00201208': { vr: 'IS', Value: [2] } }]
          : isCut && url.includes('/series?')
            ? [{ '0020000E': { vr: 'UI', Value: [path.seriesInstanceUid] }, '00201209': { vr: 'IS', Value: [2] } }]
            : request.method === 'POST'
              ? { '00081199': { vr: 'SQ', Value: [{ '00081155': { vr: 'UI', Value: [path.sopInstanceUid] } }] } }
              : [];
      request.on('end', () =>
        response.writeHead(200, { 'content-type': 'application/dicom+json' }).end(JSON.stringify(answer)),
      );
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test('what the client asks is what the table says, keys and Accept headers included', async () => {
    const called = new Set<string>();
    const archive = recording(
      dicomWebArchive({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/dicom-web` }),
      called,
    );
    const study = path.studyInstanceUid;
    await archive.findInstances(study);
    await archive.findSeries(study);
    await archive.findSeriesOf([study]);
    for (const instances of [1, 2])
      await archive.sampleAttributes(study, path.seriesInstanceUid, { StationName: '00081010' }, { instances });
    await archive.sampleMetadata(study, path.seriesInstanceUid, []);
    await archive.describe(path);
    await archive.findStudySummary(study);
    await archive.probe();
    await archive.findStudies({ from: '20240101', to: '20240102', offset: 0, limit: 10 });
    const times = { from: '0000', to: '1159' };
    await archive.findStudies({ from: '20240101', to: '20240101', times, offset: 0, limit: 10 });
    await archive.findStudySummaries({ from: '20240101', to: '20240102', offset: 0, limit: 10 });
    await archive.findStudySummaries({ from: '20240101', to: '20240101', times, offset: 0, limit: 10 });
    isCut = true;
    await archive.findInstances(study).catch(() => {});
    isCut = false;
    await archive.clock();
    await archive.retrieve(path).catch(() => {});
    await archive.store(study, [
      {
        sopClassUid: parseUid('1.2'),
        seriesInstanceUid: path.seriesInstanceUid,
        sopInstanceUid: path.sopInstanceUid,
        bytes: new Uint8Array(4),
      },
    ]);
    await archive.close();
    expect([...called].sort()).toEqual(Object.keys(archive).sort());
    expect([...new Set(seen)].sort()).toEqual(
      sorted(table('### 4.2 Requests').map(([, request, accept]) => `${request} :: ${accept}`)),
    );
  });
});
