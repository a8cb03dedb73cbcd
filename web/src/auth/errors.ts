// Owns the two errors of a request, and reading a refusal of the server. Knows nothing of tokens.

/** The server refused the request. `message` is the server's. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** lictor's name of the error, e.g. `WrongPassword`; `HttpError` if the answer is not from lictor. */
  readonly error: string;
  readonly status: number;
  /** Seconds of `Retry-After`, or null. */
  readonly retryAfter: number | null;

  constructor(error: string, status: number, message: string, retryAfter: number | null = null) {
    super(message);
    this.error = error;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** No answer: no connection, a timeout, or the server does not allow this origin. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';

  /** `cause` is the browser's error. */
  constructor(cause: unknown) {
    super('The server cannot be reached', { cause });
  }
}

/** Reads the body of a refusal. An incomplete body counts like one that is not from lictor, unless `signal` has ended it. */
export async function refusal(response: Response, signal?: AbortSignal | null): Promise<ApiError> {
  const text = await response.text().catch(() => signal?.throwIfAborted());
  const body = parsed(text ?? '');
  const error = field(body, 'error') ?? 'HttpError';
  const message = field(body, 'message') ?? `The server answered with status ${response.status}`;
  return new ApiError(error, response.status, message, seconds(response.headers.get('Retry-After')));
}

/** The parsed JSON, or undefined if it is not JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A field of an unchecked object, if it is a string. */
export function field(of: unknown, name: string): string | undefined {
  const value = typeof of === 'object' && of !== null ? (of as Record<string, unknown>)[name] : undefined;
  return typeof value === 'string' ? value : undefined;
}

// The other form of Retry-After, a date, would need a correct clock.
function seconds(value: string | null): number | null {
  return value !== null && /^\d{1,9}$/.test(value) ? Number(value) : null;
}
