import { isInShadow, liveFindings } from '../../finding/finding';
import type { Finding } from '../../events/finding';
import { percentagesOf, percentOf } from '../../finding/wording';
import { figure, type Language, say, sayIt, type Words } from '../../language/say';
import { translated, wordsIn } from '../../language/words';
import type { FilmRecord, StudyRecord } from '../record';
import { caveats, issuedAt, isWithdrawal, studyCaveats } from '../statements';

/** A plain-text mail. */
export interface EmailMessage {
  readonly subject: string;
  readonly text: string;
  /**
   * With angle brackets (RFC 5322 section 3.6.4); the same for each repetition, so that mail programs and servers see
   * one message.
   */
  readonly messageId: string;
  readonly date: Date;
  readonly isUrgent: boolean;
}

/**
 * The subject has neither patient data nor a UID, whatever the settings.
 * @param from the sender's address, whose domain is used in the Message-ID
 */
export function emailMessage(
  record: StudyRecord,
  {
    from,
    includePatient,
    language = 'en',
  }: { readonly from: string; readonly includePatient: boolean; readonly language?: Language },
): EmailMessage {
  const words = wordsIn(language);
  const models = record.models.map(({ id, version }) => `${id} ${version}`).join(', ');
  const lines = [
    say(words, 'research.statement'),
    '',
    say(words, `email.opening.${openingOf(record)}`),
    ...studyCaveats(record).map((sentence) => translated(words, sentence)),
    '',
    `Study Instance UID: ${record.studyInstanceUid}`,
    ...(includePatient ? patientLines(record, words) : []),
    say(words, 'email.completed', { at: record.completedAt }),
    '',
    ...record.films.flatMap((film) => filmLines(film, words)),
    '',
    say(words, 'email.models', { models, version: record.softwareVersion }),
  ];
  return {
    subject: say(words, `email.subject.${subjectOf(record)}`),
    text: `${lines.map(printable).join('\n')}\n`,
    messageId: `<${record.key}@${from.slice(from.lastIndexOf('@') + 1)}>`,
    date: new Date(issuedAt(record)),
    isUrgent: record.priority === 'urgent',
  };
}

function subjectOf(record: StudyRecord): 'withdrawn' | 'corrected' | 'urgent' | 'other' {
  if (isWithdrawal(record)) return 'withdrawn';
  if (record.correction !== undefined) return 'corrected';
  return record.priority === 'urgent' ? 'urgent' : 'other';
}

function openingOf(record: StudyRecord): 'withdrawn' | 'urgent' | 'routine' | 'shadow' | 'none' {
  if (isWithdrawal(record)) return 'withdrawn';
  return record.priority ?? (record.films.some(isInShadow) ? 'shadow' : 'none');
}

function patientLines({ patient, order }: StudyRecord, words: Words): string[] {
  const facts = [
    ['email.patient', patient.PatientName],
    ['email.patientId', printableIdentifier(patient.PatientID)],
    ['email.birthDate', patient.PatientBirthDate],
    ['email.accession', printableIdentifier(order.AccessionNumber)],
  ] as const;
  return facts.filter(([, value]) => value !== '').map(([key, value]) => say(words, key, { value }));
}

/** A line for each finding, then the warnings. */
function filmLines(film: FilmRecord, words: Words): string[] {
  const { sopInstanceUid: uid, probability, findings } = film;
  const more = caveats(film).map((sentence) => `  ${translated(words, sentence)}`);
  const line = (text: string) => say(words, 'email.film', { uid, words: text });
  if (isInShadow(film)) return [line(say(words, 'result.inShadow')), ...more];
  if (probability === null) return [line(notAnalysedWords(film, words)), ...more];
  const told = liveFindings(findings);
  const said =
    told.length === 0
      ? [say(words, 'email.probability', { probability: figure(words, percentOf(probability)) })]
      : told.map((finding) => findingWords(finding, words));
  return [...said.map(line), ...more];
}

function notAnalysedWords({ outcome, reason }: FilmRecord, words: Words): string {
  const why =
    reason === null
      ? say(words, 'film.reasonUnknown')
      : (sayIt(words, { key: `reason.${reason}`, values: {} }) ?? reason);
  return say(words, outcome === 'rejected' ? 'film.leftAlone' : 'film.notAnalysed', { reason: why });
}

function findingWords(finding: Finding, words: Words): string {
  const { probability, operatingPoint } = percentagesOf(finding);
  const told = { probability: figure(words, probability), finding: finding.code.meaning };
  return finding.operatingPoint === null
    ? say(words, 'email.finding', told)
    : say(words, 'email.findingAtPoint', { ...told, point: figure(words, operatingPoint) });
}

/** Without control characters, as a film's header may hold anything. */
function printable(line: string): string {
  return line.replace(/\p{Cc}/gu, ' ');
}

/** Control characters are replaced by visible names, so that different identifiers look different. */
function printableIdentifier(identifier: string): string {
  const name = (control: string) => `<U+${control.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}>`;
  return identifier.replace(/\p{Cc}/gu, name);
}
