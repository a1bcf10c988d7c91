import { liveFindings } from '../../finding/finding';
import type { Finding } from '../../events/finding';
import { RESEARCH_USE } from '../../finding/wording';
import type { FilmRecord, StudyRecord } from '../record';
import { caveats, issuedAt, isWithdrawal, studyCaveats } from '../statements';

/** Plain text only. */
export interface EmailMessage {
  readonly subject: string;
  readonly text: string;
  /**
   * With its angle brackets (RFC 5322 section 3.6.4): the same at each repetition, so that mail programs and servers
   * see one message.
   */
  readonly messageId: string;
  readonly date: Date;
  readonly isUrgent: boolean;
}

/**
 * The subject holds no word about the patient and no UID, whatever the site says. @param from the sender's address,
 * whose domain the Message-ID takes.
 */
export function emailMessage(
  record: StudyRecord,
  { from, includePatient }: { readonly from: string; readonly includePatient: boolean },
): EmailMessage {
  const isUrgent = record.priority === 'urgent';
  const lines = [
    RESEARCH_USE.statement,
    '',
    isWithdrawal(record) ? WITHDRAWN_STUDY : opening(record),
    ...studyCaveats(record),
    '',
    `Study Instance UID: ${record.studyInstanceUid}`,
    ...(includePatient ? patientLines(record) : []),
    `Completed: ${record.completedAt}`,
    '',
    ...record.films.flatMap(filmLines),
    '',
    `Models: ${record.models.map(({ id, version }) => `${id} ${version}`).join(', ')}; Hilum ${record.softwareVersion}`,
  ];
  return {
    subject: subjectOf(record),
    text: `${lines.map(printable).join('\n')}\n`,
    messageId: `<${record.key}@${from.slice(from.lastIndexOf('@') + 1)}>`,
    date: new Date(issuedAt(record)),
    isUrgent,
  };
}

const WITHDRAWN_STUDY =
  'The earlier result of this study is withdrawn: its films were rejected. This says nothing about the patient.';

function subjectOf(record: StudyRecord): string {
  if (isWithdrawal(record)) return 'Hilum: a result is withdrawn';
  if (record.correction !== undefined) return 'Hilum: patient or order of a chest film were corrected';
  return record.priority === 'urgent'
    ? 'Hilum: a chest film wants to be read soon'
    : 'Hilum: a chest film was looked at';
}

function opening({ priority }: StudyRecord): string {
  switch (priority) {
    case 'urgent':
      return 'The analysis suggests that this study is read soon.';
    case 'routine':
      return (
        'No film of this study reached an operating point that makes it urgent. This does not say that the study is ' +
        'without findings.'
      );
    case null:
      return 'No film of this study could be analysed. This says nothing about the patient.';
  }
}

function patientLines({ patient, order }: StudyRecord): string[] {
  const facts: readonly (readonly [string, string])[] = [
    ['Patient', patient.PatientName],
    ['Patient ID', printableIdentifier(patient.PatientID)],
    ['Birth date', patient.PatientBirthDate],
    ['Accession Number', printableIdentifier(order.AccessionNumber)],
  ];
  return facts.filter(([, value]) => value !== '').map(([name, value]) => `${name}: ${value}`);
}

/** A line for each finding, then what a reader is warned of. */
function filmLines(film: FilmRecord): string[] {
  const { sopInstanceUid, outcome, reason, probability, findings } = film;
  const more = caveats(film).map((sentence) => `  ${sentence}`);
  if (probability === null)
    return [`Film ${sopInstanceUid}: ${outcome}${reason === null ? '' : ` (${reason})`}`, ...more];
  const told = liveFindings(findings);
  const said = told.length === 0 ? [`probability ${probability.toFixed(2)}`] : told.map(findingWords);
  return [...said.map((words) => `Film ${sopInstanceUid}: ${words}`), ...more];
}

function findingWords({ probability, operatingPoint, code }: Finding): string {
  const point = operatingPoint === null ? '' : `, operating point ${operatingPoint.toFixed(2)}`;
  return `probability ${probability.toFixed(2)} of ${code.meaning}${point}`;
}

/** What a film's header says may hold anything. */
function printable(line: string): string {
  return line.replace(/\p{Cc}/gu, ' ');
}

/** Control characters named, so that one identifier does not look like another. */
function printableIdentifier(identifier: string): string {
  const name = (control: string) => `<U+${control.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}>`;
  return identifier.replace(/\p{Cc}/gu, name);
}
