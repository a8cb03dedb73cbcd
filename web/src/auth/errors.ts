// Owns the two ways in which a request fails, and how a refusal of the server is read. Knows
// nothing of tokens.

/** What the server refused. `message` is the server's sentence. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** lictor's name of it, e.g. `WrongPassword`; `HttpError` if the answer is not lictor's. */
  readonly error: string;
  readonly status: number;
  /** Seconds to wait by `Retry-After`, or null. */
  readonly retryAfter: number | null;

  constructor(error: string, status: number, message: string, retryAfter: number | null = null) {
    super(message);
    this.error = error;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** There was no answer: no connection, a timeout, or the server does not let this origin call it. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';

  /** `cause` is what the browser said. */
  constructor(cause: unknown) {
    super('The server cannot be reached', { cause });
  }
}

/** Reads the body of a refusal. A body that breaks off is no worse than one that is not lictor's. */
export async function refusal(response: Response): Promise<ApiError> {
  const told = parsed(await response.text().catch(() => ''));
  const error = field(told, 'error') ?? 'HttpError';
  const message = field(told, 'message') ?? `The server answered with status ${response.status}`;
  return new ApiError(error, response.status, message, seconds(response.headers.get('Retry-After')));
}

/** JSON, or undefined where it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A field of an object from outside, if it is a string. */
export function field(of: unknown, name: string): string | undefined {
  const value = typeof of === 'object' && of !== null ? (of as Record<string, unknown>)[name] : undefined;
  return typeof value === 'string' ? value : undefined;
}

// The other form of Retry-After, a date, would need a clock that is right.
function seconds(value: string | null): number | null {
  return value !== null && /^\d{1,9}$/.test(value) ? Number(value) : null;
}
