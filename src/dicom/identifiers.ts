/**
 * Attributes that name a patient, a study, an order or who gave out such a name, by keyword. They are copied whole,
 * character for character, or not at all: half an identifier is the identifier of somebody else. A backslash, which
 * divides values of LO and SH (PS3.5 section 6.2), is a character of theirs: all of them have one value (PS3.6), and
 * there are hospitals whose numbers hold one.
 */
export const IDENTIFIERS: ReadonlySet<string> = new Set([
  'PatientID',
  'IssuerOfPatientID',
  'StudyID',
  'AccessionNumber',
  'AdmissionID',
  'LocalNamespaceEntityID',
  'UniversalEntityID',
  'RequestedProcedureID',
  'ScheduledProcedureStepID',
  'PlacerOrderNumberImagingServiceRequest',
  'FillerOrderNumberImagingServiceRequest',
]);

/** Bytes of UTF-8 that the length field of LO and SH can state (PS3.5 section 7.1.2). */
const MOST_BYTES = 0xfffe;

/**
 * An identifier as it is read: its values joined again, without the padding around them (PS3.5 section 6.2: spaces;
 * NUL by mistake). '' where there is none, or what is there is no text.
 */
export function wholeIdentifier(value: unknown): string {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  return values
    .map((one) => (typeof one === 'string' || typeof one === 'number' ? String(one) : ''))
    .join('\\')
    .replace(/^[ \0]+|[ \0]+$/g, '');
}

/**
 * Why an identifier can't be carried into an object; null where it can. Characters that its character set does not have
 * were read as U+FFFD, and many a reader takes NUL for the end of a text.
 */
export function identifierProblem(identifier: string): string | null {
  if (identifier.includes('\ufffd')) return 'has characters that its Specific Character Set does not explain';
  if (identifier.includes('\0')) return 'has a NUL in it';
  if (Buffer.byteLength(identifier, 'utf8') > MOST_BYTES) return `is longer than ${MOST_BYTES} bytes`;
  return null;
}
