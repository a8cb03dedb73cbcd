// Owns what can go wrong with a call, as one class. Words for people are made of it in i18n.

import { ApiError, NetworkError } from '../auth/index';

export class Problem extends Error {
  constructor(
    // The server's stable name for it (docs/endpoints.md has them), or one of ours: Offline, HttpError,
    // Required, InvalidEmail.
    readonly code: string,
    message = '',
    readonly status = 0,
    // Seconds until another try makes sense.
    readonly wait = 0,
  ) {
    super(message);
  }
}

export function asProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  if (thrown instanceof NetworkError) return new Problem('Offline', thrown.message);
  if (thrown instanceof ApiError) {
    return new Problem(thrown.error, thrown.message, thrown.status, thrown.retryAfter ?? 0);
  }
  // A fault of this app: the console should have it as well.
  console.error(thrown);
  return new Problem('HttpError', String(thrown));
}
