/**
 * Content of an audit message beside user, time and source (DICOM PS3.15 A.5.3). Never a result, a verdict's text or a
 * picture.
 */
export type AuditEvent =
  /**
   * Pictures or the detail of a study were shown, or its verdict set or changed: DICOM Instances Accessed (A.5.3.6).
   */
  | { readonly kind: 'study-read' | 'study-updated' | 'study-created'; readonly studies: readonly AuditedStudy[] }
  /**
   * The reading list was read or searched: Query (A.5.3.10). `query` is the search as sent; `studies` are those in the
   * response.
   */
  | { readonly kind: 'query'; readonly query: string; readonly studies: readonly AuditedStudy[] }
  /** Verdicts or lists were exported as a file: Data Export (A.5.3.4). */
  | { readonly kind: 'export'; readonly studies: readonly AuditedStudy[]; readonly destination: string }
  /** Dead letters were replayed or dropped: Security Alert, Use of Restricted Function (A.5.3.11). */
  | { readonly kind: 'restricted-function'; readonly what: string; readonly studies: readonly AuditedStudy[] };

/** Event of a dead letter that is replayed or dropped, by whatever way. */
export function deadLetterEvent(
  { studyInstanceUid }: { readonly studyInstanceUid: string | null },
  action: 'replay' | 'drop',
): AuditEvent {
  return {
    kind: 'restricted-function',
    what: `dead letter ${action === 'replay' ? 'replayed' : 'dropped'}`,
    studies: studyInstanceUid === null ? [] : [{ studyInstanceUid, patientId: null }],
  };
}

export interface AuditedStudy {
  readonly studyInstanceUid: string;
  /** Patient ID, by which the trail names the patient; null where unknown. */
  readonly patientId: string | null;
  readonly accessionNumber?: string | null;
}
