// Owns the notice that the account data on the page is out of date: a refusal of the server has shown
// that the account has, or must have, a second factor. Its listeners load the account again.

const STALE = ['OtpRequired', 'SecondFactorMissing', 'MissingRoleError'];

const listeners = new Set<() => void>();

export function onAccountChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function noteAccountChange(code: string) {
  if (STALE.includes(code)) for (const listener of listeners) listener();
}
