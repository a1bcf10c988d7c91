/**
 * Codes of every error that Hilum raises on purpose: a closed list, told apart by code and never by message
 * (docs/errors.md).
 */
export const ERROR_CODES = [
  'CONFIG_INVALID',
  'LISTEN_FAILED',
  'LABELS_INVALID',
  'PROTOCOL_INVALID',
  'OUTPUT_FAILED',
  'EVENT_INVALID',
  'ARCHIVE_UNREACHABLE',
  'ARCHIVE_TIMEOUT',
  'ARCHIVE_UNAVAILABLE',
  'ARCHIVE_REFUSED',
  'ARCHIVE_UNAUTHORISED',
  'ARCHIVE_RESPONSE_INVALID',
  'RECEIVER_UNREACHABLE',
  'RECEIVER_TIMEOUT',
  'RECEIVER_UNAVAILABLE',
  'RECEIVER_REFUSED',
  'RECEIVER_UNAUTHORISED',
  'RECEIVER_RESPONSE_INVALID',
  'STORE_AMBIGUOUS',
  'STORE_FAILED',
  'STORE_NOT_CONFIRMED',
  'NOT_FOUND',
  'BROKER_UNREACHABLE',
  'DEAD_QUEUE_BUSY',
  'DATABASE_UNREACHABLE',
  'DATABASE_INVALID',
  'DATABASE_REFUSED',
  'DATABASE_IN_USE',
  'BACKUP_REFUSED',
  'BACKUP_INVALID',
  'DICOM_UNREADABLE',
  'PIXELS_UNDECODABLE',
  'MODEL_INVALID',
  'MODEL_DIGEST_MISMATCH',
  'ENGINE_UNAVAILABLE',
  'ANALYSIS_LOST',
  'ENCODE_FAILED',
  'STUDY_RETURNED',
  'AUDIT_FAILED',
  'SIGN_IN_UNAVAILABLE',
  'STOPPING',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/**
 * Whether trying again can help, decided where the error happens: transient (try again later), ambiguous (it may have
 * been done: check, then try again), permanent (trying again can't help).
 */
export type Lasting = 'transient' | 'ambiguous' | 'permanent';

export class HilumError extends Error {
  constructor(
    readonly code: ErrorCode,
    readonly lasting: Lasting,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'HilumError';
  }
}

/** An unknown error counts as transient: the retry limit bounds it, and nothing is thrown away by mistake. */
export function lastingOf(error: unknown): Lasting {
  return error instanceof HilumError ? error.lasting : 'transient';
}

/** The cause of an error as text; '' where it names none. */
export function causeText(error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? asText(error.cause) : '';
}

const asText = (value: unknown) => String(value);

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
  return error instanceof HilumError
    ? `${error.code}: ${error.message}${cause}`
    : `${error.name}: ${error.message}${cause}`;
}

/**
 * Describes an error for the log. The message of a foreign error is left out, as it may quote a file; its place in the
 * code is named instead.
 */
export function describeFailure(failure: unknown): string {
  if (failure instanceof HilumError) return `${failure.code}: ${failure.message}`;
  if (!(failure instanceof Error)) return typeof failure;
  return [
    failure.name,
    ...(failure.stack ?? '')
      .split('\n')
      .filter((line) => line.trimStart().startsWith('at '))
      .slice(0, 4)
      .map((line) => line.trim()),
  ].join(' ');
}
