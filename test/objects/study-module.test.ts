import { clean } from '../../src/dicom/sanitise';
import { sourceReference, studyModule } from '../../src/objects/study-module';
import { BARE_FILM } from '../support/broker/outcomes';

test('all type 2 attributes are there, empty where the film has none, and nothing is invented', () => {
  expect(studyModule(BARE_FILM)).toEqual({
    StudyInstanceUID: BARE_FILM.StudyInstanceUID,
    PatientID: '',
    PatientName: '',
    PatientSex: '',
    PatientBirthDate: '',
    StudyDate: '',
    StudyTime: '',
    ReferringPhysicianName: '',
    StudyID: '',
    AccessionNumber: '',
  });
});

test('patient, study, issuers and institution are copied', () => {
  const film = {
    ...BARE_FILM,
    PatientName: [{ Alphabetic: 'Doe^Jane', Ideographic: '山田^花子' }],
    PatientID: '4711',
    IssuerOfPatientID: 'WARD',
    PatientBirthDate: '19400305',
    PatientSex: 'F',
    PatientAge: '064Y',
    PatientSize: 1.7,
    PatientWeight: [71.5],
    StudyDate: '20040826',
    StudyTime: '185059.25',
    StudyID: 'S1',
    StudyDescription: 'Thorax pa',
    AccessionNumber: 'A-1',
    ReferringPhysicianName: 'House^Gregory',
    InstitutionName: 'Charité',
    IssuerOfAccessionNumberSequence: [{ LocalNamespaceEntityID: 'RIS', Extra: 'not copied' }],
    IssuerOfPatientIDQualifiersSequence: { UniversalEntityID: '1.2.3', UniversalEntityIDType: 'ISO' },
  };
  expect(studyModule(film)).toMatchObject({
    PatientName: 'Doe^Jane=山田^花子',
    PatientID: '4711',
    IssuerOfPatientID: 'WARD',
    PatientBirthDate: '19400305',
    PatientSex: 'F',
    PatientAge: '064Y',
    PatientSize: '1.7',
    PatientWeight: '71.5',
    StudyDate: '20040826',
    StudyTime: '185059.25',
    StudyID: 'S1',
    StudyDescription: 'Thorax pa',
    AccessionNumber: 'A-1',
    ReferringPhysicianName: 'House^Gregory',
    InstitutionName: 'Charité',
    IssuerOfAccessionNumberSequence: [{ LocalNamespaceEntityID: 'RIS' }],
    IssuerOfPatientIDQualifiersSequence: [{ UniversalEntityID: '1.2.3', UniversalEntityIDType: 'ISO' }],
  });
});

test('what merely describes is cut to length, what identifies is copied whole', () => {
  const long = 'x'.repeat(100);
  const copied = studyModule({
    ...BARE_FILM,
    StudyDescription: long,
    InstitutionName: long,
    AccessionNumber: long,
    StudyID: long,
    IssuerOfPatientID: long,
  });
  expect(copied).toMatchObject({
    StudyDescription: 'x'.repeat(64),
    InstitutionName: 'x'.repeat(64),
    AccessionNumber: long,
    StudyID: long,
    IssuerOfPatientID: long,
  });
});

test.each([
  ['1234\\567', '1234\\567'],
  [['1234', '567'], '1234\\567'],
  [['1234', '', '567'], '1234\\\\567'],
  [['1234 ', ' 567'], '1234 \\ 567'],
  ['x'.repeat(65), 'x'.repeat(65)],
  [' 12 34 \u0000', '12 34'],
  ['12\n34\t', '12\n34\t'],
  ['ÄÖ-7', 'ÄÖ-7'],
])('the identifier %j is copied whole, as %j', (value, expected) => {
  const identifiers = ['PatientID', 'IssuerOfPatientID', 'StudyID', 'AccessionNumber', 'AdmissionID'];
  const copied = studyModule({
    ...BARE_FILM,
    ...Object.fromEntries(identifiers.map((keyword) => [keyword, value])),
    OtherPatientIDsSequence: [{ PatientID: value, TypeOfPatientID: 'TEXT' }],
    IssuerOfAccessionNumberSequence: [{ LocalNamespaceEntityID: value }],
  });
  expect(copied).toMatchObject({
    ...Object.fromEntries(identifiers.map((keyword) => [keyword, expected])),
    OtherPatientIDsSequence: [{ PatientID: expected, TypeOfPatientID: 'TEXT' }],
    IssuerOfAccessionNumberSequence: [{ LocalNamespaceEntityID: expected }],
  });
});

test.each([
  ['1234\u0000567', 'has a NUL in it'],
  ['M\ufffdller', 'has characters that its Specific Character Set does not explain'],
  ['x'.repeat(70_000), 'is longer than 65534 bytes'],
])('a patient ID that cannot be carried ends it and says why; another identifier is left out', (value, why) => {
  expect(() => studyModule({ ...BARE_FILM, PatientID: value })).toThrow(
    expect.objectContaining({
      code: 'ENCODE_FAILED',
      lasting: 'permanent',
      message: `the film's PatientID ${why}, and a result must not be filed under another`,
    }),
  );
  expect(studyModule({ ...BARE_FILM, AccessionNumber: value })).toMatchObject({ AccessionNumber: '' });
});

test('an issuer with half a universal ID is left out', () => {
  expect(
    studyModule({ ...BARE_FILM, IssuerOfAccessionNumberSequence: [{ UniversalEntityID: '1.2.3' }] }),
  ).not.toHaveProperty('IssuerOfAccessionNumberSequence');
});

test.each(['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID', 'SOPClassUID'])(
  'a film whose %s is none cannot be referred to',
  (keyword) => {
    expect(() => sourceReference({ ...BARE_FILM, [keyword]: `1.${'2'.repeat(63)}` })).toThrow(
      `the film's ${keyword} is no UID`,
    );
  },
);

test.each([
  ['DA', '20040230', ''],
  ['DA', 'd14a028c2a3a2bc9476102bb288234c4', ''],
  ['DA', '20040229', '20040229'],
  ['TM', '2460', ''],
  ['TM', '185059.000000', '185059.000000'],
  ['AS', '81', ''],
  ['AS', '081Y', '081Y'],
  ['DS', NaN, ''],
  ['DS', 1 / 3, '0.333333333'],
  ['DS', -1.2345678901234e-200, '-1.23456789e-200'],
  ['CS', 'lower', ''],
  ['SH', 'a\\b\u0000c', 'a b c'],
  ['LO', `${'x'.repeat(63)}\u{1f600}y`, `${'x'.repeat(63)}\u{1f600}`],
  ['PN', { Alphabetic: `${'x'.repeat(70)}^y` }, 'x'.repeat(64)],
  ['PN', 'A^B^C^D^E^F=G=H=I', 'A^B^C^D^E=G=H'],
  ['PN', [], ''],
  ['LO', { toString: 'no' }, ''],
] as const)('%s of %j becomes %j', (vr, value, expected) => {
  expect(clean(vr, value)).toBe(expected);
});
