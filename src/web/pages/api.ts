import { t } from './language.js';
import { useHeaders } from './use.js';

/** A response other than 2xx, with the service's own text. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return ask<T>(path, { signal: signal ?? null });
}

export async function post<T>(path: string, body: unknown = {}): Promise<T> {
  return ask<T>(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
}

/** @param isLast the page may be closed before the response arrives */
export async function remove<T>(path: string, isLast = false): Promise<T> {
  return ask<T>(path, { method: 'DELETE', keepalive: isLast });
}

type Init = Omit<RequestInit, 'headers'> & { readonly headers?: Readonly<Record<string, string>> };

async function ask<T>(path: string, { headers = {}, ...init }: Init): Promise<T> {
  const asked: RequestInit = { credentials: 'same-origin', ...init, headers: { ...headers, ...useHeaders() } };
  const answer = await fetch(`/api/v1${path}`, asked).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, t('page.noAnswer'));
  });
  if (answer.status === 401) {
    // The session has ended: a reload leads to the sign-in and back to here.
    location.reload();
    throw new ApiError(401, t('page.signedOut'));
  }
  const body = (await answer.json().catch(() => null)) as (T & { error?: string | { message?: string } }) | null;
  if (!answer.ok || body === null)
    throw new ApiError(answer.status, wordsOf(body?.error) ?? t('page.answered', { status: answer.status }));
  return body;
}

/** The API sends {message}, the access layer one sentence. */
function wordsOf(error: string | { message?: string } | undefined): string | undefined {
  return typeof error === 'string' ? error.replace(/\.$/, '') : error?.message;
}
