// Owns that the server says, in answer to something else, that what is known of the account is
// out of date: it has, or must have, a second factor. Whoever shows the account reads it again.

const STALE = ['OtpRequired', 'SecondFactorMissing'];

const listeners = new Set<() => void>();

export function onAccountChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function noteAccountChange(code: string) {
  if (STALE.includes(code)) for (const listener of listeners) listener();
}
