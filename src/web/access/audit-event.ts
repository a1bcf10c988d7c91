/**
 * What an audit message says beside who, when and where (DICOM PS3.15 A.5.3). Never a result, a verdict's text or a
 * picture.
 */
export type AuditEvent =
  /**
   * Pictures or the detail of a study were shown, its verdict was set or changed: DICOM Instances Accessed (A.5.3.6).
   */
  | { readonly kind: 'study-read' | 'study-updated' | 'study-created'; readonly studies: readonly AuditedStudy[] }
  /**
   * The reading list was asked for or searched: Query (A.5.3.10). `query` is the search as sent; `studies` those that
   * the answer showed.
   */
  | { readonly kind: 'query'; readonly query: string; readonly studies: readonly AuditedStudy[] }
  /** Verdicts or lists left the service as a file: Data Export (A.5.3.4). */
  | { readonly kind: 'export'; readonly studies: readonly AuditedStudy[]; readonly destination: string }
  /** Dead letters were replayed or dropped: Security Alert, Use of Restricted Function (A.5.3.11). */
  | { readonly kind: 'restricted-function'; readonly what: string; readonly studies: readonly AuditedStudy[] };

/** That a dead letter is replayed or dropped, whoever does it. */
export function sortedLetter(
  { studyInstanceUid }: { readonly studyInstanceUid: string | null },
  fate: 'replay' | 'drop',
): AuditEvent {
  return {
    kind: 'restricted-function',
    what: `dead letter ${fate === 'replay' ? 'replayed' : 'dropped'}`,
    studies: studyInstanceUid === null ? [] : [{ studyInstanceUid, patientId: null }],
  };
}

export interface AuditedStudy {
  readonly studyInstanceUid: string;
  /** The patient's ID, which the trail is for; null where it is not known. */
  readonly patientId: string | null;
  readonly accessionNumber?: string | null;
}
