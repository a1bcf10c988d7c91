import { causeText, type ErrorCode, HilumError, type Lasting } from './errors';

/** An error as plain data: classes do not survive the way between threads. */
export interface ThreadFailure {
  /** Null for what nobody raised on purpose. */
  readonly code: ErrorCode | null;
  readonly lasting: Lasting;
  readonly message: string;
  /** Text of the cause; of what nobody raised on purpose the stack. */
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

/** @param thread what it is called in a message */
export function errorOf({ code, lasting, message, cause }: ThreadFailure, thread: string): Error {
  return code === null
    ? new Error(`unexpected in ${thread}: ${message}`, { cause })
    : new HilumError(code, lasting, message, cause === '' ? {} : { cause: new Error(cause) });
}
