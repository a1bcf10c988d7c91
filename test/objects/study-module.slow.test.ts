import { buildSecondaryCapture } from '../../src/objects/secondary-capture';
import { studyModule } from '../../src/objects/study-module';
import { writePart10 } from '../../src/objects/write';
import { BARE_FILM, IDENTITY } from '../support/broker/outcomes';
import { dciodvfy } from '../support/servers/judges';

test('who gave out the identifiers is copied with them: facility, admission, other hospitals', () => {
  const ward = { LocalNamespaceEntityID: 'Aufnahme', UniversalEntityID: '1.2.276.0.1', UniversalEntityIDType: 'ISO' };
  const film = {
    ...BARE_FILM,
    AdmissionID: 'F-77',
    IssuerOfAdmissionIDSequence: [ward],
    IssuerOfPatientIDQualifiersSequence: [
      { IdentifierTypeCode: 'MR', AssigningFacilitySequence: [{ ...ward, Extra: 1 }] },
    ],
    OtherPatientIDsSequence: [
      { PatientID: 'B-1', IssuerOfPatientID: 'OTHER', TypeOfPatientID: 'TEXT' },
      { PatientID: 'x'.repeat(64), TypeOfPatientID: 'TEXT' },
      { PatientID: 'x\u0000y', TypeOfPatientID: 'TEXT' },
      { PatientID: 'B-2', TypeOfPatientID: 'STICKER' },
      7,
    ],
  };
  expect(studyModule(film)).toMatchObject({
    AdmissionID: 'F-77',
    IssuerOfAdmissionIDSequence: [ward],
    IssuerOfPatientIDQualifiersSequence: [{ IdentifierTypeCode: 'MR', AssigningFacilitySequence: [ward] }],
    OtherPatientIDsSequence: [
      { PatientID: 'B-1', IssuerOfPatientID: 'OTHER', TypeOfPatientID: 'TEXT' },
      { PatientID: 'x'.repeat(64), TypeOfPatientID: 'TEXT' },
    ],
  });
  expect(studyModule({ ...BARE_FILM, OtherPatientIDsSequence: [{}] })).not.toHaveProperty('OtherPatientIDsSequence');
  expect(
    dciodvfy(writePart10(buildSecondaryCapture(film, { rows: 1, columns: 1, rgb: new Uint8Array(3) }, IDENTITY)))
      .errors,
  ).toEqual([]);
});
