import { emailMessage } from '../../src/sinks/email/message';
import { fhirSchema } from '../../src/sinks/fhir/config';
import { encodeBundle } from '../../src/sinks/fhir/message';
import { hl7Schema } from '../../src/sinks/hl7/config';
import { encodeOru } from '../../src/sinks/hl7/message';
import { newWorkitem } from '../../src/sinks/ups/message';
import { summaryColumns } from '../../src/worklist/record-columns';
import { RECORD } from '../support/records/result-record';

const PATIENT_ID = '1234\\567';
const ACCESSION = 'ACC1\\AC2';
const record = {
  ...RECORD,
  patient: { ...RECORD.patient, PatientID: PATIENT_ID, IssuerOfPatientID: 'A\\B' },
  order: {
    ...RECORD.order,
    AccessionNumber: ACCESSION,
    PlacerOrderNumberImagingServiceRequest: 'PL\\1',
    FillerOrderNumberImagingServiceRequest: 'FI\\1',
  },
};

test('HL7: identifiers with a backslash are whole and escaped', () => {
  const segments = encodeOru(record, hl7Schema.parse({ enabled: true, host: 'ris' }))
    .toString('utf8')
    .split('\r');
  const field = (name: string, number: number) =>
    segments.find((segment) => segment.startsWith(name))!.split('|')[number];
  expect(field('PID', 3)).toBe('1234\\E\\567^^^A\\E\\B');
  expect([field('OBR', 2), field('OBR', 3), field('OBR', 18)]).toEqual(['PL\\E\\1', 'FI\\E\\1', 'ACC1\\E\\AC2']);
});

test('FHIR and UPS: identifiers with a backslash are one value', () => {
  const bundle = JSON.stringify(encodeBundle(record, fhirSchema.parse({})));
  for (const whole of [PATIENT_ID, ACCESSION, 'PL\\1']) expect(bundle).toContain(`"value":${JSON.stringify(whole)}`);
  const workitem = newWorkitem(record, { worklistLabel: 'X', routinePriority: 'MEDIUM', retrieveUrl: 'http://a' });
  expect(workitem['00100020']).toEqual({ vr: 'LO', Value: [PATIENT_ID] });
  expect(JSON.stringify(workitem)).toContain(JSON.stringify({ vr: 'SH', Value: [ACCESSION] }));
});

test('e-mail: identifiers are whole, a control character in one is named', () => {
  const { text } = emailMessage(
    { ...record, order: { ...record.order, AccessionNumber: 'A\nB' } },
    { from: 'a@b', includePatient: true },
  );
  expect(text).toContain(`Patient ID: ${PATIENT_ID}\n`);
  expect(text).toContain('Accession Number: A<U+000A>B\n');
});

test('reading list: identifiers are whole in the row and found by a search', () => {
  const long = 'x'.repeat(2_000);
  const columns = summaryColumns('1.2.3', {
    ...record.patient,
    ...record.study,
    PatientName: 'n'.repeat(2_000),
    PatientID: `${long}\\1`,
    AccessionNumber: ACCESSION,
  });
  expect(columns).toMatchObject({ patient_id: `${long}\\1`, accession_number: ACCESSION });
  expect(columns.search_patient).toContain(' xxx');
  expect(columns.search_patient).toContain('acc1\\ac2');
  expect(columns.search_study).toBe('1.2.3');
});
