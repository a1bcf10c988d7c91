import { causeText, type ErrorCode, HilumError, type Lasting } from './errors';

/** An error as plain data, as error classes are lost between threads. */
export interface ThreadFailure {
  /** Null for an error that is no HilumError. */
  readonly code: ErrorCode | null;
  readonly lasting: Lasting;
  readonly message: string;
  /** Text of the cause; for an error that is no HilumError, the stack. */
  readonly cause: string;
}

export function failureOf(error: unknown): ThreadFailure {
  if (error instanceof HilumError)
    return { code: error.code, lasting: error.lasting, message: error.message, cause: causeText(error) };
  return {
    code: null,
    lasting: 'transient',
    message: String(error),
    cause: error instanceof Error ? (error.stack ?? '') : '',
  };
}

/** @param thread name of the thread, for messages */
export function errorOf({ code, lasting, message, cause }: ThreadFailure, thread: string): Error {
  return code === null
    ? new Error(`unexpected in ${thread}: ${message}`, { cause })
    : new HilumError(code, lasting, message, cause === '' ? {} : { cause: new Error(cause) });
}
