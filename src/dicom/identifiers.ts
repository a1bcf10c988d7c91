/**
 * Keywords of attributes that identify a patient, a study, an order, or the issuer of an identifier. They are copied
 * character for character or not at all: half an identifier may be somebody else's. A backslash, which separates values
 * of LO and SH (PS3.5 section 6.2), is kept as a character: these attributes have one value (PS3.6), and some hospitals
 * use it in their numbers.
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

/** Largest number of UTF-8 bytes that the length field of LO and SH can state (PS3.5 section 7.1.2). */
const MAX_BYTES = 0xfffe;

/**
 * The whole identifier: its values joined again, without padding (PS3.5 section 6.2: spaces; NUL by mistake). '' where
 * there is none or it is no text.
 */
export function wholeIdentifier(value: unknown): string {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  return values
    .map((one) => (typeof one === 'string' || typeof one === 'number' ? String(one) : ''))
    .join('\\')
    .replace(/^[ \0]+|[ \0]+$/g, '');
}

/**
 * Why an identifier can't be copied into an object; null where it can. Undecodable characters were read as U+FFFD, and
 * many readers take NUL for the end of a text.
 */
export function identifierProblem(identifier: string): string | null {
  if (identifier.includes('\ufffd')) return 'has characters that its Specific Character Set does not explain';
  if (identifier.includes('\0')) return 'has a NUL in it';
  if (Buffer.byteLength(identifier, 'utf8') > MAX_BYTES) return `is longer than ${MAX_BYTES} bytes`;
  return null;
}
