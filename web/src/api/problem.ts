// Owns the error of a failed call. i18n has the words for people.

import { ApiError, NetworkError } from 'lictor-auth';

export class Problem extends Error {
  constructor(
    // The stable name of the server's error (see docs/endpoints.md), or one of ours: Offline, HttpError,
    // Required, InvalidEmail.
    readonly code: string,
    message = '',
    readonly status = 0,
    // Seconds until the next attempt makes sense.
    readonly wait = 0,
  ) {
    super(message);
  }
}

// After these another attempt makes sense, as after every answer of a server that is busy or broken.
const PASSING = ['Offline', 'HttpError', 'TooManyRequests'];

export function isPassing({ code, status }: Problem): boolean {
  return status >= 500 || PASSING.includes(code);
}

// With these statuses a proxy says that no server is behind it. lictor's own refusals have a name.
const NO_SERVER = [502, 503, 504];

export function asProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  if (thrown instanceof NetworkError) return new Problem('Offline', thrown.message);
  if (thrown instanceof ApiError) {
    const { error, message, status, retryAfter } = thrown;
    if (error === 'HttpError' && NO_SERVER.includes(status)) return new Problem('Offline', message);
    return new Problem(error, message, status, retryAfter ?? 0);
  }
  // A bug of this app is logged to the console too.
  console.error(thrown);
  return new Problem('HttpError', String(thrown));
}
