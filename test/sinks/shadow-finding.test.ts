import { findingOf } from '../../src/finding/finding';
import { findingStatement } from '../../src/finding/wording';
import { emailMessage } from '../../src/sinks/email/message';
import { encodeBundle } from '../../src/sinks/fhir/message';
import { hl7Schema } from '../../src/sinks/hl7/config';
import { encodeOru } from '../../src/sinks/hl7/message';
import type { StudyRecord } from '../../src/sinks/record';
import { RECORD } from '../support/records/result-record';

const SHADOW = findingOf(
  {
    label: 'tuberculosis',
    code: { value: '56717001', scheme: 'SCT', meaning: 'Tuberculosis' },
    operatingPoint: 0.5,
    mode: 'shadow',
  },
  0.99,
);
const WITH: StudyRecord = {
  ...RECORD,
  films: RECORD.films.map((film) =>
    film.findings.length === 0 ? film : { ...film, findings: [SHADOW, ...film.findings] },
  ),
};
const OPTIONS = { patientSystem: undefined, accessionSystem: undefined, placerSystem: undefined };

test.each<[string, (record: StudyRecord) => unknown]>([
  ['HL7', (record) => encodeOru(record, hl7Schema.parse({})).toString()],
  ['FHIR', (record) => encodeBundle(record, OPTIONS)],
  ['e-mail', (record) => emailMessage(record, { from: 'hilum@hospital.example', includePatient: false })],
])('%s says nothing of a finding in shadow', (_name, message) => expect(message(WITH)).toEqual(message(RECORD)));

test('the report says that it is one', () => {
  const said = findingStatement(SHADOW);
  expect(said).toBe(
    'Probability of tuberculosis 99.0 %. Its operating point was never validated: no statement, and nothing follows ' +
      'from it.',
  );
});
