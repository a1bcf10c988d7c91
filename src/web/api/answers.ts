import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import { describeError, type ErrorCode, HilumError } from '../../base/errors';
import type { Log } from '../../base/log';
import { tryParseUid, type Uid } from '../../dicom/uid';
import { TooMany } from '../access/limits';
import { Refused } from '../access/user';
import { requestFault } from '../unreadable';

/** A request that can't be served: answered with its status and one sentence. */
export class BadRequest extends Error {
  constructor(
    readonly status: 400 | 404 | 409,
    message: string,
  ) {
    super(message);
  }
}

/** @throws BadRequest 404 where the text is no UID */
export function uidOf(text: unknown): Uid {
  const uid = tryParseUid(text);
  if (uid === undefined) throw new BadRequest(404, 'there is no such study or film');
  return uid;
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  NOT_FOUND: 404,
  DICOM_UNREADABLE: 422,
  PIXELS_UNDECODABLE: 422,
  ARCHIVE_TIMEOUT: 504,
  DEAD_QUEUE_BUSY: 409,
  BROKER_UNREACHABLE: 503,
  DATABASE_UNREACHABLE: 503,
  AUDIT_FAILED: 503,
};

/**
 * Answers errors as JSON. Refusals, and errors after the response has begun, go on to the access layer. No response
 * quotes the archive or a film.
 */
export function errorAnswers(log: Log): ErrorRequestHandler {
  return (error: unknown, _request, response: Response, next) => {
    if (error instanceof Refused || error instanceof TooMany || response.headersSent) {
      next(error);
      return;
    }
    if (error instanceof BadRequest)
      return void response.status(error.status).json({ error: { code: 'REQUEST_INVALID', message: error.message } });
    const fault = requestFault(error);
    if (fault !== null)
      return void response
        .status(fault)
        .json({ error: { code: 'REQUEST_INVALID', message: 'the request can not be read, or its body is too long' } });
    if (error instanceof HilumError) {
      log.debug({ event: 'web.request-failed', code: error.code }, describeError(error));
      return void response
        .status(STATUS[error.code] ?? (error.code.startsWith('ARCHIVE_') ? 502 : 500))
        .json({ error: { code: error.code, message: WORDS[error.code] ?? 'the service could not do it' } });
    }
    log.error(
      { event: 'web.request-failed', error: error instanceof Error ? error.name : 'unknown' },
      'a request of the reading list failed',
    );
    response.status(500).json({ error: { code: 'INTERNAL', message: 'the service could not do it' } });
  };
}

const WORDS: Partial<Record<ErrorCode, string>> = {
  NOT_FOUND: 'the archive does not have it',
  DICOM_UNREADABLE: 'the object cannot be read',
  PIXELS_UNDECODABLE: 'the pixels cannot be read',
  ARCHIVE_TIMEOUT: 'the archive does not answer in time',
  ARCHIVE_UNREACHABLE: 'the archive cannot be reached',
  ARCHIVE_UNAUTHORISED: 'the archive does not let the service in',
  ARCHIVE_UNAVAILABLE: 'the archive is not available',
  DEAD_QUEUE_BUSY: 'somebody else is at the dead letters: try again',
  BROKER_UNREACHABLE: 'the broker cannot be reached',
  DATABASE_UNREACHABLE: 'the database does not answer',
  AUDIT_FAILED: 'nothing is shown while the audit trail cannot be written',
};

/** Calls `act` when the response is sent or the client has gone; at once, where that is so already. */
export function whenOver(response: Response, act: () => void): void {
  if (response.destroyed) act();
  else response.once('close', act);
}

/** Responses about patients are not stored by browsers or proxies. */
export const notKept: RequestHandler = (_request, response, next) => {
  response.set('Cache-Control', 'private, no-store');
  next();
};
