import { findingOf } from '../../src/finding/finding';
import { findingStatement } from '../../src/finding/wording';
import { emailMessage } from '../../src/sinks/email/message';
import { encodeBundle } from '../../src/sinks/fhir/message';
import { hl7Schema } from '../../src/sinks/hl7/config';
import { encodeOru } from '../../src/sinks/hl7/message';
import { metadataChanges } from '../../src/sinks/orthanc-metadata/message';
import type { StudyRecord } from '../../src/sinks/record';
import { newWorkitem, upsPriority } from '../../src/sinks/ups/message';
import { webhookMessage } from '../../src/sinks/webhook/message';
import { LANGUAGE_NAMES } from '../../src/language/languages';
import { wordsIn } from '../../src/language/words';
import { COVID, SHADOW } from '../support/records/finding';
import { RECORD } from '../support/records/result-record';

const OPTIONS = { patientSystem: undefined, accessionSystem: undefined, placerSystem: undefined };

test('the report says that it is one', () => {
  const said = findingStatement(SHADOW);
  expect(said).toBe(
    'Probability of tuberculosis 99.0 %. In shadow, for evaluation only: no statement, and nothing follows from it.',
  );
});

describe('a film whose findings are all in shadow', () => {
  const SAID = 'Analysed for evaluation only, its findings are in shadow: no statement about the patient.';
  const ofFilm = (probability: number | null): StudyRecord => ({
    ...RECORD,
    priority: null,
    films: [
      {
        ...RECORD.films[0]!,
        probability,
        findings: [findingOf({ ...COVID, mode: 'shadow' }, 0.93), SHADOW],
        remarks: [],
      },
    ],
  });
  const ONLY = ofFilm(null);
  const WORKITEM = {
    worklistLabel: 'Chest',
    routinePriority: 'LOW',
    retrieveUrl: 'https://pacs.example/dicom-web',
  } as const;
  const NOT_ANALYSED = /not[- ](analysed|performed)|could be analysed/i;

  test.each([
    ['as it is made', ONLY],
    ['with the probability that an earlier version gave it', ofFilm(0.93)],
  ])('is told without a result, %s', (_case, record) => {
    const hl7 = encodeOru(record, hl7Schema.parse({})).toString();
    const fhir = encodeBundle(record, OPTIONS);
    const mail = emailMessage(record, { from: 'hilum@hospital.example', includePatient: false });
    const workitem = newWorkitem(record, WORKITEM);
    for (const text of [hl7, JSON.stringify(fhir), mail.text, JSON.stringify(workitem)]) {
      expect(text).not.toMatch(/0\.93|93\.0|0\.99|operating point|COVID-19 |uberculosis/);
      expect(text).not.toMatch(NOT_ANALYSED);
    }
    expect(hl7).toContain(SAID);
    expect(mail.text).toContain(`Film ${record.films[0]!.sopInstanceUid}: ${SAID}`);
    expect(mail.text).toContain('No film of this study has a result');
    const [first] = fhir.entry.flatMap(({ resource }) => (resource.resourceType === 'Observation' ? [resource] : []));
    expect(first).toMatchObject({ dataAbsentReason: { coding: [{ code: 'not-permitted' }], text: SAID } });
    expect(first).not.toHaveProperty('valueQuantity');
    expect(upsPriority(record, WORKITEM)).toBe('MEDIUM');
    expect(metadataChanges(record, { priority: '', probability: '', written: '' })).toBeNull();
  });

  test('has neither probability nor threshold in the webhook, and its findings as what they are', () => {
    const [film] = webhookMessage(ONLY, false).data.films;
    expect(film).toMatchObject({ outcome: 'analysed', probability: null, threshold: null });
    expect(film!.findings.map(({ mode }) => mode)).toEqual(['shadow', 'shadow']);
  });

  test.each(LANGUAGE_NAMES)('is told so by e-mail in %s', (language) => {
    const { text } = emailMessage(ONLY, { from: 'hilum@hospital.example', includePatient: false, language });
    const { messages } = wordsIn(language);
    expect(text).toContain(messages['email.opening.shadow']);
    expect(text).toContain(messages['result.inShadow']);
  });

  test('has an earlier result withdrawn without one', () => {
    const [film] = ONLY.films;
    const { findings, view, lungFraction } = film!;
    const withdrawn: StudyRecord = {
      ...ONLY,
      films: [
        {
          ...film!,
          outcome: 'rejected',
          reason: 'rejected-for-quality',
          reasonText: 'the film was rejected for quality reasons',
          findings: [],
          supersedes: [film!.sopInstanceUid],
          withdrawn: { findings, view, lungFraction },
        },
      ],
    };
    const bundle = JSON.stringify(encodeBundle(withdrawn, OPTIONS));
    expect(bundle).toContain('not-performed');
    expect(bundle).not.toMatch(/0\.93|0\.99/);
  });
});
