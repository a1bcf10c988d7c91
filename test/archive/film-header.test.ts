import { readHeader } from '../../src/archive/film-header';

const value = (vr: string, ...values: unknown[]) => ({ vr, Value: values });

test('texts by keyword; of a name the alphabetic group, else what there is; the order from the request where the film itself does not say', () => {
  const header = readHeader({
    '00080016': value('UI', '1.2.840.10008.5.1.4.1.1.1.1'),
    '00100010': value('PN', { Alphabetic: 'Yamada^Tarou', Ideographic: '山田^太郎' }),
    '00080090': value('PN', { Ideographic: '山田^太郎' }),
    '00100020': value('LO', ' 12 '),
    '00080050': { vr: 'SH' },
    '00080051': value('SQ', { '00400031': value('UT', 'RIS'), '00400032': value('UT', '1.2.3') }),
    '00402016': value('LO', 'PL1'),
    '00400275': value(
      'SQ',
      { '00080050': value('SH', 'A1'), '00401001': value('SH', 'RP1'), '00402016': value('LO', 'other') },
      { '00401001': value('SH', 'RP2') },
    ),
  });
  expect(header).toMatchObject({
    PatientName: 'Yamada^Tarou',
    ReferringPhysicianName: '山田^太郎',
    PatientID: '12',
    AccessionNumber: 'A1',
    AccessionNumberIssuer: 'RIS',
    PlacerOrderNumberImagingServiceRequest: 'PL1',
    RequestedProcedureID: 'RP1',
    sopClassUid: '1.2.840.10008.5.1.4.1.1.1.1',
    StudyDate: '',
    ViewPosition: '',
  });
});

test('an issuer by its universal ID, and one that the request names', () => {
  expect(
    readHeader({ '00400275': value('SQ', { '00080051': value('SQ', { '00400032': value('UT', '1.2.3') }) }) })
      .AccessionNumberIssuer,
  ).toBe('1.2.3');
});

test('identifiers whole: a backslash comes as the end of a value', () => {
  const halves = value('LO', '1234', '567');
  const designator = value('SQ', { '00400031': value('UT', 'A\\B') });
  expect(
    readHeader({
      '00100020': halves,
      '00100021': value('LO', 'A', null, 'B '),
      '00080050': value('SH', 'ACC1\\AC2'),
      '00200010': halves,
      '00402016': halves,
      '00081030': value('LO', 'Thorax', 'pa'),
      '00400275': value('SQ', { '00401001': halves, '00402017': halves, '00080051': designator }),
    }),
  ).toMatchObject({
    PatientID: '1234\\567',
    IssuerOfPatientID: 'A\\\\B',
    AccessionNumber: 'ACC1\\AC2',
    AccessionNumberIssuer: 'A\\B',
    StudyID: '1234\\567',
    PlacerOrderNumberImagingServiceRequest: '1234\\567',
    FillerOrderNumberImagingServiceRequest: '1234\\567',
    RequestedProcedureID: '1234\\567',
    StudyDescription: 'Thorax',
  });
});

test.each([
  null,
  undefined,
  'Doe^Jane',
  [],
  { '00100020': 'Doe' },
  { '00100020': { vr: 'LO', Value: [7, null] }, '00080016': value('UI', 'Doe'), '00400275': value('SQ', null) },
])('what is no header says nothing: %j', (dataset) => {
  const { sopClassUid, ...texts } = readHeader(dataset);
  expect(sopClassUid).toBeNull();
  expect(new Set(Object.values(texts))).toEqual(new Set(['']));
});
