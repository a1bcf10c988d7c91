import { setTimeout as passed } from 'node:timers/promises';
import { REASON_TEXTS } from '../../src/finding/wording';
import type { Language } from '../../src/language/say';
import { wordsIn } from '../../src/language/words';
import { emailMessage, type EmailMessage } from '../../src/sinks/email/message';
import { emailSink, type MailServer } from '../../src/sinks/email/sink';
import { RECORD, RESULT, resultOf, withProbability } from '../support/records/result-record';

const FROM = { from: 'hilum@hospital.example', includePatient: false };
const PATIENT = [
  RECORD.patient.PatientName,
  'Müller',
  RECORD.patient.PatientID,
  RECORD.patient.PatientBirthDate,
  RECORD.order.AccessionNumber,
];

test('UIDs and results, no word about the patient', () => {
  const { subject, text, messageId, date, isUrgent } = emailMessage(RECORD, FROM);
  expect({ subject, messageId, date: date.toISOString(), isUrgent }).toEqual({
    subject: 'Hilum: a chest film wants to be read soon',
    messageId: `<${RECORD.key}@hospital.example>`,
    date: RECORD.completedAt,
    isUrgent: true,
  });
  expect(text.split('\n')).toEqual([
    'Research use only - not for diagnosis. Unverified.',
    '',
    'The analysis suggests that this study is read soon.',
    '',
    `Study Instance UID: ${RECORD.studyInstanceUid}`,
    'Completed: 2026-03-01T10:15:42.000Z',
    '',
    `Film ${RECORD.films[0]!.sopInstanceUid}: probability of COVID-19 93.0 %, operating point 50.0 %`,
    `Film ${RECORD.films[1]!.sopInstanceUid}: not analysed because ${REASON_TEXTS['lateral-view']}`,
    `Film ${RECORD.films[2]!.sopInstanceUid}: left alone because ${REASON_TEXTS['body-part']}`,
    '',
    'Models: covid-vgg19-lungs 1.0.0; Hilum 0.1.0',
    '',
  ]);
  for (const word of PATIENT) expect(text).not.toContain(word);
});

test('with the patient where the site says so, never in the subject', () => {
  const { subject, text } = emailMessage(RECORD, { ...FROM, includePatient: true });
  for (const word of PATIENT) expect(text).toContain(word);
  for (const word of [...PATIENT, RECORD.studyInstanceUid]) expect(subject).not.toContain(word);
});

test.each([
  ['es', 'Solo para investigación - no apto para diagnóstico. Sin verificar.', 'probabilidad de COVID-19 93,0 %'],
  ['de', 'Nur für Forschungszwecke - nicht zur Diagnose. Nicht verifiziert.', 'Wahrscheinlichkeit für COVID-19 93,0 %'],
  ['fr', 'Réservé à la recherche - non destiné au diagnostic. Non vérifié.', 'probabilité de COVID-19 93,0 %'],
] as const)('in %s: the same facts, first what it is for', (language, research, probability) => {
  const english = emailMessage(RECORD, FROM);
  const { subject, text, ...rest } = emailMessage(RECORD, { ...FROM, language });
  const { messages } = wordsIn(language);
  expect(rest).toEqual({ messageId: english.messageId, date: english.date, isUrgent: true });
  expect(subject).toBe(messages['email.subject.urgent']);
  const lines = text.split('\n');
  expect(lines[0]).toBe(research);
  expect(lines[2]).toBe(messages['email.opening.urgent']);
  expect(text).toContain(probability);
  expect(text).toContain(messages['reason.lateral-view']);
  expect(text).toContain(messages['reason.body-part']);
  expect(lines).toHaveLength(english.text.split('\n').length);
  const facts = (mail: string) => mail.match(/[\d.]{20,}|2026-\S+|covid-vgg19-lungs [\d.]+/g);
  expect(facts(text)).toEqual(facts(english.text));
});

const saying = (probability: number, operatingPoint: number | null, language: Language = 'en') => {
  const film = withProbability(RECORD.films[0]!, probability);
  const findings = film.findings.map((finding) => ({ ...finding, operatingPoint }));
  return emailMessage({ ...RECORD, films: [{ ...film, findings }] }, { ...FROM, language }).text;
};

test.each([
  [0.0002, 0.5, 'probability of COVID-19 < 0.1 %, operating point 50.0 %'],
  [0.9999, 0.5, 'probability of COVID-19 > 99.9 %, operating point 50.0 %'],
  [0.4955, 0.496546, 'probability of COVID-19 49.5 %, operating point 49.7 %'],
  [0.49651, 0.496546, 'probability of COVID-19 49.651 %, operating point 49.655 %'],
  [0.9999, null, 'probability of COVID-19 > 99.9 %\n'],
])('%d at the operating point %d is neither certain nor the same', (probability, point, words) =>
  expect(saying(probability, point)).toContain(words),
);

test('a result without a list of findings is not certain either', () => {
  const film = { ...RECORD.films[0]!, probability: 0.9999, findings: [] };
  expect(emailMessage({ ...RECORD, films: [film] }, FROM).text).toContain('probability > 99.9 %\n');
});

test.each(['es', 'de', 'fr'] as const)('in %s the same figures, with its decimal sign', (language) => {
  const text = saying(0.0002, 0.5, language);
  expect(text).toContain(' < 0,1 %, ');
  expect(text).toContain(' 50,0 %\n');
});

test.each(['en', 'es', 'de', 'fr'] as const)('what is said of a replaced film is said in %s too', (language) => {
  const film = { ...RECORD.films[0]!, warnings: ['evidence-outside-lungs'] as const, supersedes: ['1.2.3' as never] };
  const correction = { correctedAt: '2026-03-02T08:00:00.000Z', corrected: ['patient'] as const };
  const { text, subject } = emailMessage({ ...RECORD, films: [film], correction } as never, { ...FROM, language });
  const { messages } = wordsIn(language);
  for (const key of ['warning.evidence-outside-lungs', 'remark.replaced', 'remark.corrected'] as const)
    expect(text).toContain(messages[key]);
  expect(subject).toBe(messages['email.subject.corrected']);
});

test.each(['routine', null] as const)('a result of priority %s is never called normal', (priority) => {
  const { subject, text } = emailMessage({ ...RECORD, priority }, FROM);
  expect(`${subject} ${text}`).not.toMatch(/\bnormal|\bno (?:finding|abnormal)|negative|healthy/i);
  expect(text).toMatch(/This (does not say|says nothing)/);
});

test('line breaks of a header can not add lines', () => {
  const record = { ...RECORD, patient: { ...RECORD.patient, PatientName: 'A\r\nBcc: x@y\r\n.\r\n' } };
  expect(emailMessage(record, { ...FROM, includePatient: true }).text.split(/\r|\n/)).toContain(
    'Patient: A  Bcc: x@y  .  ',
  );
});

function recorder(): MailServer & { sent: EmailMessage[] } {
  const sent: EmailMessage[] = [];
  return {
    sent,
    send: async (message) => void sent.push(message),
    probe: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

test.each([
  ['urgent', 'urgent', true],
  ['urgent', 'routine', false],
  ['urgent', null, false],
  ['all', 'routine', true],
  ['all', null, true],
] as const)('a site that wants %s and a result of priority %s: %s', async (when, priority, expected) => {
  const server = recorder();
  const sink = emailSink(server, { ...FROM, when, perMinute: 10 });
  expect(sink.wants({ ...RESULT, priority })).toBe(expected);
  await sink.deliver(resultOf({ ...RECORD, priority }));
  expect(server.sent).toHaveLength(expected ? 1 : 0);
});

test('more than perMinute wait until a minute after the first of them', async () => {
  const server = recorder();
  let now = 1_000;
  const waits: number[] = [];
  const clock = { now: () => now, wait: async (ms: number) => void (waits.push(ms), (now += ms)) };
  const sink = emailSink(server, { ...FROM, when: 'urgent', perMinute: 2 }, clock);
  const at: number[] = [];
  for (let number = 0; number < 5; number++) {
    await sink.deliver(resultOf(RECORD));
    at.push(now);
    now += 1_000;
  }
  expect(at).toEqual([1_000, 2_000, 61_000, 62_000, 121_000]);
  expect(waits).toEqual([58_000, 58_000]);
});

test('a stop ends the wait', async () => {
  const sink = emailSink(recorder(), { ...FROM, when: 'urgent', perMinute: 1 });
  await sink.deliver(resultOf(RECORD));
  const waiting = sink.deliver(resultOf(RECORD));
  await sink.close();
  await expect(Promise.race([waiting.then(() => 'ended'), passed(5_000, 'waits', { ref: false })])).resolves.toBe(
    'ended',
  );
});
