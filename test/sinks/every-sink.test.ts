import { deriveUid } from '../../src/dicom/uid';
import { CORRECTED, REASON_TEXTS, RESEARCH_USE, WARNING_TEXTS, WITHDRAWN } from '../../src/finding/wording';
import { emailMessage } from '../../src/sinks/email/message';
import { encodeBundle } from '../../src/sinks/fhir/message';
import { hl7Schema } from '../../src/sinks/hl7/config';
import { encodeOru } from '../../src/sinks/hl7/message';
import type { StudyRecord } from '../../src/sinks/record';
import { SINKS } from '../../src/sinks/registry';
import { newWorkitem } from '../../src/sinks/ups/message';
import { webhookMessage } from '../../src/sinks/webhook/message';
import { SHADOW } from '../support/records/finding';
import { RECORD } from '../support/records/result-record';

/** What a sink sends, and the text in it by which its receiver knows what kind of result it is. */
interface Sent {
  readonly message: (record: StudyRecord) => string;
  /** The whole result is withdrawn. */
  readonly withdrawn: string;
  /** Patient or order were corrected. */
  readonly corrected: string;
  /** A finding in shadow; null: nothing is said of it. */
  readonly shadow: string | null;
}

const FHIR = { patientSystem: undefined, accessionSystem: undefined, placerSystem: undefined };
const UPS = { worklistLabel: 'x', routinePriority: 'MEDIUM', retrieveUrl: 'http://a' } as const;
const HL7 = hl7Schema.parse({});

const SENT: Readonly<Record<string, Sent>> = {
  hl7: {
    message: (record) => encodeOru(record, HL7).toString(),
    // OBR-24 and OBR-25.
    withdrawn: '|RAD|X\r',
    corrected: CORRECTED,
    shadow: null,
  },
  fhir: {
    message: (record) => JSON.stringify(encodeBundle(record, FHIR)),
    withdrawn: WITHDRAWN,
    corrected: CORRECTED,
    shadow: null,
  },
  ups: {
    message: (record) => JSON.stringify(newWorkitem(record, UPS)),
    withdrawn: WITHDRAWN,
    corrected: CORRECTED,
    shadow: null,
  },
  webhook: {
    message: (record) => JSON.stringify(webhookMessage(record, false)),
    withdrawn: '"withdrawn":true',
    corrected: '"correction":{"corrects":["patient"]',
    shadow: '"mode":"shadow"',
  },
  email: {
    message: (record) => JSON.stringify(emailMessage(record, { from: 'a@b.example', includePatient: false })),
    withdrawn: WITHDRAWN,
    corrected: CORRECTED,
    shadow: null,
  },
};
/** They say nothing in words: the objects themselves, a code in Orthanc, the row of the list. */
const WITHOUT_WORDS = ['dicom', 'metadata', 'list'];

const [first, ...others] = RECORD.films;
const withFilm = (change: Partial<StudyRecord['films'][number]>): StudyRecord => ({
  ...RECORD,
  films: [{ ...first!, ...change }, ...others],
});
const CAVEAT = WARNING_TEXTS['evidence-outside-lungs'];
const REASON = 'rejected-for-quality';
const WITHDRAWAL: StudyRecord = {
  ...RECORD,
  priority: null,
  supersededPriority: 'urgent',
  films: [
    {
      ...first!,
      outcome: 'not-analysed',
      reason: REASON,
      reasonText: REASON_TEXTS[REASON],
      view: null,
      probability: null,
      lungFraction: null,
      findings: [],
      remarks: [],
      supersedes: [deriveUid(['old report'])],
      withdrawn: { view: first!.view, findings: first!.findings, lungFraction: first!.lungFraction },
    },
  ],
};

test('every sink is here', () => {
  expect([...Object.keys(SENT), ...WITHOUT_WORDS].sort()).toEqual([...SINKS.names].sort());
});

describe.each(Object.entries(SENT))('%s', (_name, { message, withdrawn, corrected, shadow }) => {
  test('is for research', () => expect(message(RECORD)).toContain(RESEARCH_USE.statement));

  test.each<[string, string, StudyRecord]>([
    ['what a reader is warned of', CAVEAT, withFilm({ warnings: ['evidence-outside-lungs'], remarks: [CAVEAT] })],
    ['that a result is withdrawn', withdrawn, WITHDRAWAL],
    [
      'that the patient was corrected',
      corrected,
      { ...RECORD, correction: { corrects: ['patient'], correctedAt: '2026-03-05T08:00:00.000Z' } },
    ],
  ])('says %s, and nothing of it where it is not so', (_what, text, record) => {
    expect(message(record)).toContain(text);
    expect(message(RECORD)).not.toContain(text);
  });

  test('says nothing of a finding in shadow, or that it is one', () => {
    const sent = message(withFilm({ findings: [SHADOW, ...first!.findings] }));
    if (shadow === null) expect(sent).toBe(message(RECORD));
    else expect(sent.split(shadow)).toHaveLength(2);
  });
});
